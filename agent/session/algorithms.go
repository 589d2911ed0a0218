package session

import "golang.org/x/crypto/ssh"

// profile is a set of SSH algorithms.
type profile struct {
	config   ssh.Config
	hostKeys []string // in the order in which HostKeys asks for them
	rsa      []string // signature algorithms of RSA keys
}

// algorithms returns the strict profile: no SHA-1, no CBC, no 1024-bit groups.
// Legacy adds what RFC 4253 began with, behind the others, for devices that
// stopped there.
func algorithms(legacy bool) profile {
	p := profile{
		config: ssh.Config{
			KeyExchanges: []string{
				ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519,
				ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521,
				ssh.KeyExchangeDH16SHA512, ssh.KeyExchangeDHGEXSHA256, ssh.KeyExchangeDH14SHA256,
			},
			Ciphers: []string{
				ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305,
				ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR,
			},
			MACs: []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512},
		},
		hostKeys: []string{
			ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
			ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
		},
		rsa: []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256},
	}
	if legacy {
		p.config.KeyExchanges = append(p.config.KeyExchanges,
			ssh.InsecureKeyExchangeDH14SHA1, ssh.InsecureKeyExchangeDHGEXSHA1, ssh.InsecureKeyExchangeDH1SHA1)
		p.config.Ciphers = append(p.config.Ciphers, ssh.InsecureCipherAES128CBC, ssh.InsecureCipherTripleDESCBC)
		p.config.MACs = append(p.config.MACs, ssh.HMACSHA1, ssh.InsecureHMACSHA196)
		p.hostKeys = append(p.hostKeys, ssh.KeyAlgoRSA, ssh.InsecureKeyAlgoDSA)
		p.rsa = append(p.rsa, ssh.KeyAlgoRSA)
	}
	return p
}

// keyAlgorithms returns the algorithms by which a server proves a key of the
// given type.
func (p profile) keyAlgorithms(keyType string) []string {
	if keyType != ssh.KeyAlgoRSA {
		return []string{keyType}
	}
	return p.rsa
}
