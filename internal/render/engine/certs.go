package engine

import (
	"crypto"
	//lint:ignore SA1019 templates can ask for it
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"reflect"
	"strings"
	"text/template"
	"time"
)

// certNames are the functions that make certificates. Their results, and the
// authority that some take, are of a type that only Sprig can name.
var certNames = []string{"genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey"}

// wrapCerts guards a function that takes long: its last result must be an error.
func (r *run) wrapCerts(fn any) any {
	f := reflect.ValueOf(fn)
	t := f.Type()
	last := t.NumOut() - 1
	if last < 1 || t.Out(last) != reflect.TypeFor[error]() {
		return nil
	}
	return reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
		if err := r.check(); err != nil {
			return failed(t, err)
		}
		return f.Call(args)
	}).Interface()
}

func failed(t reflect.Type, err error) []reflect.Value {
	return []reflect.Value{reflect.Zero(t.Out(0)), reflect.ValueOf(&err).Elem()}
}

// certFuncs replace Sprig's where the render is seeded: with keys from the
// pool, the fixed clock and signatures that involve no chance.
func (r *run) certFuncs() template.FuncMap {
	out := template.FuncMap{}
	for _, name := range certNames {
		t := reflect.TypeOf(r.engine.library.sprig[name])
		out[name] = reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
			if err := r.check(); err != nil {
				return failed(t, err)
			}
			cert, key, err := r.certificate(name, args)
			res := reflect.New(t.Out(0)).Elem()
			res.FieldByName("Cert").SetString(cert)
			res.FieldByName("Key").SetString(key)
			return []reflect.Value{res, reflect.ValueOf(&err).Elem()}
		}).Interface()
	}
	return out
}

// certificate reads the arguments of one of certNames and makes what it asks
// for.
func (r *run) certificate(name string, args []reflect.Value) (cert, key string, err error) {
	authority := strings.HasPrefix(name, "genCA")
	next := func() reflect.Value { v := args[0]; args = args[1:]; return v }
	cn := next().String()
	var ips, names []any
	if !authority {
		ips, names = next().Interface().([]any), next().Interface().([]any)
	}
	days := int(next().Int())
	var ca reflect.Value
	if strings.HasPrefix(name, "genSignedCert") {
		ca = next()
	}
	own, err := r.ownKey(strings.HasSuffix(name, "WithKey"), next)
	if err != nil {
		return "", "", fmt.Errorf("parsing private key: %s", err)
	}
	parent, signer := (*x509.Certificate)(nil), own
	if ca.IsValid() {
		if parent, signer, err = parseAuthority(ca.FieldByName("Cert").String(), ca.FieldByName("Key").String()); err != nil {
			return "", "", err
		}
	}
	tmpl, err := r.certTemplate(cn, ips, names, days)
	if err != nil {
		return "", "", err
	}
	if authority {
		tmpl.IsCA = true
		tmpl.KeyUsage |= x509.KeyUsageCertSign
	}
	if parent == nil {
		parent = tmpl
	}
	return sign(tmpl, parent, own, signer)
}

// ownKey is the key that was given, or else one of the pool.
func (r *run) ownKey(given bool, next func() reflect.Value) (crypto.PrivateKey, error) {
	if given {
		return parseKey(next().String())
	}
	r.random.calls++
	return r.engine.keys.rsaKey(r.random.calls - 1), nil
}

func (r *run) certTemplate(cn string, ips, names []any, days int) (*x509.Certificate, error) {
	now := r.random.now()
	t := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(r.random.bytes(15)),
		Subject:               pkix.Name{CommonName: cn},
		NotBefore:             now,
		NotAfter:              now.Add(24 * time.Hour * time.Duration(days)),
		KeyUsage:              x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	for _, v := range ips {
		s, ok := v.(string)
		if !ok {
			if err := r.text(v); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("error parsing ip: %v is not a string", v)
		}
		ip := net.ParseIP(s)
		if ip == nil {
			return nil, fmt.Errorf("error parsing ip: %s", s)
		}
		t.IPAddresses = append(t.IPAddresses, ip)
	}
	for _, v := range names {
		s, ok := v.(string)
		if !ok {
			if err := r.text(v); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("error processing alternate dns name: %v is not a string", v)
		}
		t.DNSNames = append(t.DNSNames, s)
	}
	return t, nil
}

func sign(t, parent *x509.Certificate, own, signer crypto.PrivateKey) (cert, key string, err error) {
	public, err := publicKey(own)
	if err != nil {
		return "", "", fmt.Errorf("error retrieving public key from signee key: %s", err)
	}
	// Without a source of randomness, ECDSA signs deterministically (RFC 6979).
	der, err := x509.CreateCertificate(nil, t, parent, public, signer)
	if err != nil {
		return "", "", fmt.Errorf("error creating certificate: %s", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), keyPEM(own), nil
}

func publicKey(key crypto.PrivateKey) (crypto.PublicKey, error) {
	switch k := key.(type) {
	case interface{ Public() crypto.PublicKey }:
		return k.Public(), nil
	case *dsa.PrivateKey:
		return &k.PublicKey, nil
	}
	return nil, fmt.Errorf("unable to get public key for type %T", key)
}

// dsaFormat is how OpenSSL writes DSA keys.
type dsaFormat struct {
	Version       int
	P, Q, G, Y, X *big.Int
}

func keyPEM(key crypto.PrivateKey) string {
	var b pem.Block
	switch k := key.(type) {
	case *rsa.PrivateKey:
		b = pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}
	case *ecdsa.PrivateKey:
		der, _ := x509.MarshalECPrivateKey(k)
		b = pem.Block{Type: "EC PRIVATE KEY", Bytes: der}
	case *dsa.PrivateKey:
		der, _ := asn1.Marshal(dsaFormat{P: k.P, Q: k.Q, G: k.G, Y: k.Y, X: k.X})
		b = pem.Block{Type: "DSA PRIVATE KEY", Bytes: der}
	default:
		der, _ := x509.MarshalPKCS8PrivateKey(k)
		b = pem.Block{Type: "PRIVATE KEY", Bytes: der}
	}
	return string(pem.EncodeToMemory(&b))
}

// parseKey reads a private key in PEM; its errors are Sprig's.
func parseKey(text string) (crypto.PrivateKey, error) {
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		return nil, errors.New("no PEM data in input")
	}
	kind, ok := strings.CutSuffix(b.Type, "PRIVATE KEY")
	if !ok {
		return nil, fmt.Errorf("no private key data in PEM block of type %s", b.Type)
	}
	var key crypto.PrivateKey
	var err error
	switch kind = strings.TrimSpace(kind); kind {
	case "":
		if key, err = x509.ParsePKCS8PrivateKey(b.Bytes); err != nil {
			return nil, fmt.Errorf("decoding PEM as PKCS#8: %s", err)
		}
		return key, nil
	case "RSA":
		key, err = x509.ParsePKCS1PrivateKey(b.Bytes)
	case "EC":
		key, err = x509.ParseECPrivateKey(b.Bytes)
	case "DSA":
		var f dsaFormat
		_, err = asn1.Unmarshal(b.Bytes, &f)
		k := &dsa.PrivateKey{X: f.X}
		k.PublicKey = dsa.PublicKey{Parameters: dsa.Parameters{P: f.P, Q: f.Q, G: f.G}, Y: f.Y}
		key = k
	default:
		return nil, fmt.Errorf("invalid private key type %s", b.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("parsing %s private key from PEM: %s", kind, err)
	}
	return key, nil
}

func parseAuthority(cert, key string) (*x509.Certificate, crypto.PrivateKey, error) {
	b, _ := pem.Decode([]byte(cert))
	if b == nil {
		return nil, nil, errors.New("unable to decode certificate")
	}
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("error parsing certificate: decodedSignerCert.Bytes: %s", err)
	}
	k, err := parseKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("error parsing private key: %s", err)
	}
	return c, k, nil
}

// genPrivateKey gives keys from the pool: of 2048 bits, where Sprig's RSA keys
// have 4096, since those take seconds.
func (r *run) genPrivateKey(kind string) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	n := r.random.calls
	r.random.calls++
	switch kind {
	case "", "rsa":
		return keyPEM(r.engine.keys.rsaKey(n)), nil
	case "dsa":
		return keyPEM(r.engine.keys.dsaKey()), nil
	case "ecdsa":
		key, err := r.random.ecdsaKey()
		if err != nil {
			return fmt.Sprintf("failed to generate private key: %s", err), nil
		}
		return keyPEM(key), nil
	case "ed25519":
		return keyPEM(r.random.ed25519Key()), nil
	}
	return r.str("Unknown type " + kind)
}
