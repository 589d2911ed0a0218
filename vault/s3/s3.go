// Package s3 is a store in a bucket of an S3 server.
//
// It creates objects on condition that they are not there, in one part and with
// a checksum that the server compares. It never deletes and never sets locks:
// those are the bucket's own settings. Many servers ignore conditions silently;
// storetest.Analyze tells.
package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/cfgvault/cfgvault/vault"
)

const (
	tries       = 4 // of one request, with growing pauses
	readTries   = 3 // of a body that breaks off
	dateMaxAge  = 30 * time.Second
	defaultArea = "us-east-1" // what servers outside of AWS sign with
)

// Options say where the bucket is and who asks.
type Options struct {
	Endpoint string // host or host:port
	Bucket   string // must exist
	Prefix   string // of all keys, without slashes at its ends; may be empty
	Region   string // empty: from the endpoint's name, else us-east-1; it is never asked for
	Insecure bool   // plain HTTP

	// Empty keys are taken from the environment (AWS_ACCESS_KEY_ID,
	// MINIO_ACCESS_KEY …), then from the files of aws and mc, then, at
	// AWS only, from the machine's role.
	AccessKey, SecretKey, SessionToken string

	Transport http.RoundTripper // nil: http.DefaultTransport's like
}

// Store is a store in a bucket.
type Store struct {
	core   minio.Core
	bucket string
	prefix string // "" or ends in a slash
	name   string
	dates  *dates
}

// Open returns the store. It makes no request.
func Open(_ context.Context, o Options) (*Store, error) {
	name := "s3://" + o.Endpoint + "/" + o.Bucket
	if o.Endpoint == "" || o.Bucket == "" || strings.Contains(o.Endpoint, "/") {
		return nil, fmt.Errorf("open store %s: want a host and a bucket", name)
	}
	prefix := strings.Trim(o.Prefix, "/")
	if prefix != "" {
		if err := vault.CheckKey(prefix); err != nil {
			return nil, fmt.Errorf("open store %s: prefix: %w", name, err)
		}
		name += "/" + prefix
		prefix += "/"
	}
	aws := strings.HasSuffix(strings.Split(o.Endpoint, ":")[0], ".amazonaws.com")
	region := o.Region
	if region == "" && !aws {
		region = defaultArea
	}
	transport := o.Transport
	if transport == nil {
		t, err := minio.DefaultTransport(!o.Insecure)
		if err != nil {
			return nil, fmt.Errorf("open store %s: %w", name, err)
		}
		transport = t
	}
	d := &dates{next: transport}
	core, err := minio.NewCore(o.Endpoint, &minio.Options{
		Creds: creds(o, aws), Secure: !o.Insecure, Region: region, Transport: d, MaxRetries: tries,
	})
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", name, err)
	}
	return &Store{core: *core, bucket: o.Bucket, prefix: prefix, name: name, dates: d}, nil
}

func creds(o Options, aws bool) *credentials.Credentials {
	if o.AccessKey != "" {
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey, o.SessionToken)
	}
	chain := []credentials.Provider{
		&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.FileAWSCredentials{}, &credentials.FileMinioClient{},
	}
	if aws {
		chain = append(chain, &credentials.IAM{})
	}
	return credentials.NewChainCredentials(chain)
}

// String is the store's address, without credentials.
func (s *Store) String() string { return s.name }

// Put creates an object; see vault.Store. The condition makes the server refuse
// when the name is taken. minio-go sends no condition when it completes an
// upload in parts, so there is only ever one part.
//
// BUG(s3): a server that hangs up instead of refusing a large body looks
// unreachable to credentials that cannot read; repeating Put helps.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	if err := vault.CheckKey(key); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	sum := sha256.Sum256(data)
	o := minio.PutObjectOptions{
		DisableMultipart: true,
		// The payload's hash is signed in the header; a hash that trails the
		// body is not understood by every server over plain HTTP.
		DisableContentSha256: true,
		UserMetadata:         map[string]string{"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum[:])},
	}
	o.SetMatchETagExcept("*")
	_, err := s.core.PutObject(ctx, s.bucket, s.prefix+key, bytes.NewReader(data), int64(len(data)), "", hex.EncodeToString(sum[:]), o)
	if err == nil {
		return nil
	}
	err = s.explain("put", key, err)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, vault.ErrClock) || ctx.Err() != nil {
		return err
	}
	if !errors.Is(err, fs.ErrExist) {
		// A server may refuse before it has read a large body and hang up: then
		// the refusal is lost, and what is there tells.
		old, gerr := s.Get(ctx, key, int64(len(data)))
		switch {
		case gerr == nil && bytes.Equal(old, data):
			return nil
		case gerr == nil, errors.Is(gerr, vault.ErrTooLarge):
			return fmt.Errorf("put %s at %s: %w", key, s.name, fs.ErrExist)
		}
		return err
	}
	return s.same(ctx, key, data, hex.EncodeToString(sum[:]), err)
}

// same finds out whether the object that is there is the one to be put: a retry
// after a lost reply meets its own bytes.
func (s *Store) same(ctx context.Context, key string, data []byte, sum string, exists error) error {
	old, err := s.Get(ctx, key, int64(len(data)))
	switch {
	case err == nil && bytes.Equal(old, data):
		return nil
	case err == nil, errors.Is(err, vault.ErrTooLarge):
		return exists
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w, although it was deleted; the bucket keeps a marker", exists)
	case errors.Is(err, fs.ErrPermission):
		// Put-only: the name tells the content.
		if strings.Contains(path.Base(key), sum[:32]) {
			return nil
		}
		return exists
	}
	return err
}

// Get returns an object; see vault.Store.
func (s *Store) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := vault.CheckKey(key); err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	return s.get(ctx, key, limit, minio.GetObjectOptions{})
}

func (s *Store) get(ctx context.Context, key string, limit int64, o minio.GetObjectOptions) ([]byte, error) {
	var err error
	for range readTries {
		var data []byte
		var again bool
		data, again, err = s.getOnce(ctx, key, limit, o)
		if err == nil || !again || ctx.Err() != nil {
			return data, err
		}
	}
	return nil, err
}

func (s *Store) getOnce(ctx context.Context, key string, limit int64, o minio.GetObjectOptions) (data []byte, again bool, err error) {
	body, info, _, err := s.core.GetObject(ctx, s.bucket, s.prefix+key, o)
	if err != nil {
		return nil, false, s.explain("get", key, err)
	}
	defer body.Close()
	if info.Size > limit {
		return nil, false, fmt.Errorf("get %s from %s: %d bytes: %w", key, s.name, info.Size, vault.ErrTooLarge)
	}
	data, err = io.ReadAll(io.LimitReader(body, limit+1))
	switch {
	case err != nil:
		return nil, true, s.explain("get", key, err)
	case int64(len(data)) > limit:
		return nil, false, fmt.Errorf("get %s from %s: %w", key, s.name, vault.ErrTooLarge)
	case int64(len(data)) < info.Size:
		return nil, true, s.explain("get", key, io.ErrUnexpectedEOF)
	}
	return data, false, nil
}

// GetVersion returns an older version of an object; see vault.Versions.
func (s *Store) GetVersion(ctx context.Context, key string, limit int64, want func([]byte) bool) ([]byte, error) {
	if err := vault.CheckKey(key); err != nil {
		return nil, fmt.Errorf("get version: %w", err)
	}
	for o := range s.core.Client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix + key, WithVersions: true, Recursive: true}) {
		if o.Err != nil {
			err := s.explain("list versions of", key, o.Err)
			if minio.ToErrorResponse(o.Err).StatusCode == http.StatusNotImplemented {
				err = fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
			}
			return nil, err
		}
		if o.Key != s.prefix+key || o.IsDeleteMarker || o.Size > limit {
			continue
		}
		data, err := s.get(ctx, key, limit, minio.GetObjectOptions{VersionID: o.VersionID})
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, vault.ErrTooLarge) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if want(data) {
			return data, nil
		}
	}
	return nil, fmt.Errorf("get version of %s from %s: %w", key, s.name, fs.ErrNotExist)
}

// List yields objects in lexical order; see vault.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[vault.Object, error] {
	return func(yield func(vault.Object, error) bool) {
		last := ""
		for o := range s.core.Client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}) {
			if o.Err != nil {
				yield(vault.Object{}, s.explain("list", prefix, o.Err))
				return
			}
			key, ok := strings.CutPrefix(o.Key, s.prefix)
			if !ok || strings.HasSuffix(key, "/") {
				continue // a marker for an empty folder, made by a browser
			}
			if key <= last {
				yield(vault.Object{}, fmt.Errorf("list %q in %s: the server lists %s after %s: its order is not lexical", prefix, s.name, key, last))
				return
			}
			last = key
			if !yield(vault.Object{Key: key, Size: o.Size}, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(vault.Object{}, err)
		}
	}
}

// Time is the server's time, from the date of its answers: a refusal has one too.
func (s *Store) Time(ctx context.Context) (time.Time, error) {
	if t, ok := s.dates.now(); ok {
		return t, nil
	}
	_, err := s.core.StatObject(ctx, s.bucket, s.prefix+"vault.json", minio.StatObjectOptions{})
	if t, ok := s.dates.now(); ok {
		return t, nil
	}
	if err != nil {
		return time.Time{}, s.explain("ask", "its time", err)
	}
	return time.Time{}, fmt.Errorf("time of %s: %w", s.name, errors.ErrUnsupported)
}

// explain gives a server's answer the meaning that vault.Store promises.
func (s *Store) explain(verb, key string, err error) error {
	r := minio.ToErrorResponse(err)
	at := fmt.Sprintf("%s %s at %s", verb, key, s.name)
	switch {
	case r.Code == "NoSuchBucket":
		return fmt.Errorf("%s: the bucket does not exist", at)
	case r.Code == "RequestTimeTooSkewed":
		return fmt.Errorf("%s: %w: the server refuses requests from this machine's time", at, vault.ErrClock)
	case r.Code == "NoSuchKey", r.Code == "NoSuchVersion", r.Code == "" && r.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %w", at, fs.ErrNotExist)
	case r.Code == "PreconditionFailed", r.StatusCode == http.StatusPreconditionFailed:
		return fmt.Errorf("%s: %w", at, fs.ErrExist)
	case r.StatusCode == http.StatusForbidden, r.StatusCode == http.StatusUnauthorized, r.Code == "AccessDenied", r.Code == "InvalidAccessKeyId", r.Code == "SignatureDoesNotMatch":
		return fmt.Errorf("%s: %w (%s)", at, fs.ErrPermission, r.Code)
	case r.StatusCode == http.StatusNotImplemented:
		return fmt.Errorf("%s: the server does not support this: %w", at, err)
	}
	return fmt.Errorf("%s: %w", at, err)
}

// dates notes the date of every answer.
type dates struct {
	next http.RoundTripper

	mu   sync.Mutex
	date time.Time
	at   time.Time // when it came, on this machine's monotonic clock
}

// RoundTrip passes the request on.
func (d *dates) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	if t, perr := http.ParseTime(resp.Header.Get("Date")); perr == nil {
		d.mu.Lock()
		d.date, d.at = t, time.Now()
		d.mu.Unlock()
	}
	return resp, nil
}

func (d *dates) now() (time.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at.IsZero() || time.Since(d.at) > dateMaxAge {
		return time.Time{}, false
	}
	return d.date.Add(time.Since(d.at)), true
}
