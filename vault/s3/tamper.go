package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/minio/minio-go/v7"
)

// Overwrite puts without a condition. Nothing in a vault calls it: it is for
// storetest.Analyze to find out whether these credentials could.
func (s *Store) Overwrite(ctx context.Context, key string, data []byte) error {
	o := minio.PutObjectOptions{DisableMultipart: true}
	if _, err := s.core.Client.PutObject(ctx, s.bucket, s.prefix+key, bytes.NewReader(data), int64(len(data)), o); err != nil {
		return s.explain("overwrite", key, err)
	}
	return nil
}

// Delete removes an object, or hides it behind a marker; see Overwrite.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.core.Client.RemoveObject(ctx, s.bucket, s.prefix+key, minio.RemoveObjectOptions{}); err != nil {
		return s.explain("delete", key, err)
	}
	return nil
}

// Protection tells whether the bucket keeps versions, and the default retention
// in compliance mode; see storetest.Protector.
func (s *Store) Protection(ctx context.Context) (versions bool, lock time.Duration, err error) {
	v, err := s.core.Client.GetBucketVersioning(ctx, s.bucket)
	if err != nil {
		return false, 0, s.explain("ask", "for versioning", err)
	}
	_, mode, validity, unit, err := s.core.Client.GetObjectLockConfig(ctx, s.bucket)
	if err != nil {
		err = s.explain("ask", "for object lock", err)
		if errors.Is(err, fs.ErrPermission) {
			return v.Enabled(), 0, err
		}
		return v.Enabled(), 0, nil // servers answer "not found" when no lock is set
	}
	if mode == nil || validity == nil || unit == nil || *mode != minio.Compliance {
		return v.Enabled(), 0, nil
	}
	const day = 24 * time.Hour
	switch *unit {
	case minio.Days:
		return v.Enabled(), time.Duration(*validity) * day, nil
	case minio.Years:
		return v.Enabled(), time.Duration(*validity) * 365 * day, nil
	}
	return v.Enabled(), 0, fmt.Errorf("object lock of %s: unit %q is not known", s.name, *unit)
}
