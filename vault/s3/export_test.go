package s3

import "github.com/minio/minio-go/v7/pkg/credentials"

// Credentials are what Open signs with.
func Credentials(o Options) *credentials.Credentials { return creds(o, false) }
