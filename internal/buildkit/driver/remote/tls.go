package remote

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// maxPEM bounds the files of certificates and keys.
const maxPEM = 4 << 20

// tlsConfig reads the files of the options. It is nil where TLS is not spoken.
func (o *options) tlsConfig(host string, now time.Time) (*tls.Config, error) {
	if !o.secure() {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, NextProtos: []string{"h2"}}
	if o.ServerName != "" {
		c.ServerName = o.ServerName
	}
	if o.CACert != "" {
		var err error
		if c.RootCAs, err = authorities(o.CACert, now); err != nil {
			return nil, wrong("cacert", err.Error(), "")
		}
	}
	if o.Cert != "" {
		pair, err := o.pair(now)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{*pair}
	}
	return c, nil
}

// authorities reads the certificates that sign the daemon's.
func authorities(file string, now time.Time) (*x509.CertPool, error) {
	certs, err := readCertificates(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	var expired error
	valid := 0
	for _, cert := range certs {
		if err := inTime(file, cert, now); err != nil {
			expired = err
			continue
		}
		pool.AddCert(cert)
		valid++
	}
	if valid == 0 {
		return nil, expired
	}
	return pool, nil
}

// pair reads the caller's certificate and its key.
func (o *options) pair(now time.Time) (*tls.Certificate, error) {
	certs, err := readCertificates(o.Cert)
	if err != nil {
		return nil, wrong("cert", err.Error(), "")
	}
	if err := inTime(o.Cert, certs[0], now); err != nil {
		return nil, wrong("cert", err.Error(), "")
	}
	if uses := certs[0].ExtKeyUsage; len(uses) > 0 && !slices.Contains(uses, x509.ExtKeyUsageClientAuth) && !slices.Contains(uses, x509.ExtKeyUsageAny) {
		return nil, wrong("cert", fmt.Sprintf("the certificate in %q is not for clients", o.Cert), "have one issued with the extended key usage clientAuth")
	}
	certPEM, err := readFile(o.Cert)
	if err != nil {
		return nil, wrong("cert", err.Error(), "")
	}
	keyPEM, err := readFile(o.Key)
	if err != nil {
		return nil, wrong("key", err.Error(), "")
	}
	if err := checkKey(o.Key, keyPEM); err != nil {
		return nil, wrong("key", err.Error(), "")
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, wrong("key", fmt.Sprintf("the key in %q does not fit the certificate in %q: %v", o.Key, o.Cert, err), "")
	}
	return &pair, nil
}

func checkKey(file string, data []byte) error {
	found := ""
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "ENCRYPTED PRIVATE KEY":
			return fmt.Errorf("the key in %q is encrypted, and nobody can be asked for its passphrase", file)
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return fmt.Errorf("the key in %q is encrypted, and nobody can be asked for its passphrase", file)
			}
			return nil
		}
		found = block.Type
	}
	if found != "" {
		return fmt.Errorf("%q holds a %s and no private key", file, found)
	}
	return fmt.Errorf("%q is not in PEM", file)
}

func inTime(file string, cert *x509.Certificate, now time.Time) error {
	switch {
	case now.After(cert.NotAfter):
		return fmt.Errorf("the certificate of %q in %q expired on %s", cert.Subject, file, cert.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("the certificate of %q in %q is not valid before %s", cert.Subject, file, cert.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// readCertificates reads one or more certificates.
func readCertificates(file string) ([]*x509.Certificate, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	other := ""
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			other = block.Type
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading certificate %d of %q: %w", len(out)+1, file, err)
		}
		out = append(out, cert)
	}
	switch {
	case len(out) > 0:
		return out, nil
	case other != "":
		return nil, fmt.Errorf("%q holds a %s and no certificate", file, other)
	}
	return nil, fmt.Errorf("%q is not in PEM", file)
}

func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no file", file)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(data) > maxPEM {
		err = errors.New("it is too large for certificates and keys")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", file, err)
	}
	return data, nil
}
