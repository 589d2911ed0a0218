package agent

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/dir"
	"github.com/cfgvault/cfgvault/vault/s3"
)

// OpenStore opens the store that a configuration names: a directory, or
// s3://HOST[:PORT]/BUCKET[/PREFIX].
func OpenStore(ctx context.Context, c Config) (vault.Store, error) {
	if !strings.HasPrefix(c.Store, "s3://") {
		if strings.Contains(c.Store, "://") {
			return nil, fmt.Errorf("%w: store %q: want a directory or s3://HOST/BUCKET/PREFIX", ErrConfig, c.Store)
		}
		path, err := filepath.Abs(c.Store)
		if err != nil {
			return nil, fmt.Errorf("%w: store %q: %w", ErrConfig, c.Store, err)
		}
		return dir.Open(path)
	}
	u, err := url.Parse(c.Store)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: store: want s3://HOST[:PORT]/BUCKET[/PREFIX]", ErrConfig)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: store: no user, key or query in the address; keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a credentials file", ErrConfig)
	}
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if bucket == "" {
		return nil, fmt.Errorf("%w: store %q names no bucket", ErrConfig, c.Store)
	}
	o := s3.Options{Endpoint: u.Host, Bucket: bucket, Prefix: prefix, Region: c.S3.Region, Insecure: c.S3.Insecure}
	if c.S3.Credentials != "" {
		keys, err := credentials.NewFileAWSCredentials(c.S3.Credentials, c.S3.Profile).Get()
		if err != nil {
			return nil, fmt.Errorf("%w: s3 credentials file %s: %w", ErrConfig, c.S3.Credentials, err)
		}
		o.AccessKey, o.SecretKey, o.SessionToken = keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken
	}
	return s3.Open(ctx, o)
}
