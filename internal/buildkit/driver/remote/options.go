// Package remote is the driver that speaks to a BuildKit daemon which runs already:
// over TCP, with TLS, over a Unix socket, or through ssh.
package remote

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

const driverName = "remote"

// options are those of --driver-opt.
type options struct {
	Endpoint   string        `opt:"endpoint" doc:"The daemon: tcp://HOST:PORT, unix:///PATH or ssh://[USER@]HOST[:PORT][/PATH of its socket]. Default: $BUILDKIT_HOST."`
	CACert     string        `opt:"cacert" doc:"File of the certificates, in PEM, that sign the daemon's. Default: the system's."`
	Cert       string        `opt:"cert" doc:"File of the certificate, in PEM, that shows the daemon who is calling."`
	Key        string        `opt:"key" doc:"File of the certificate's private key, in PEM."`
	ServerName string        `opt:"servername" doc:"The name that the daemon's certificate is for. Default: the host of the endpoint."`
	Insecure   bool          `opt:"insecure" doc:"Speak to another host over TCP without TLS, where everybody on the way can read and change what is built."`
	Timeout    time.Duration `opt:"timeout" doc:"How long the daemon may take to answer, its start included. Default 20s."`
}

// Options lists the options of this driver.
func Options() []driver.Option { return driver.OptionsOf(options{}) }

// endpoint is where the daemon is.
type endpoint struct {
	scheme string // tcp, unix, ssh
	host   string // tcp, ssh
	port   string // tcp, ssh; may be empty for ssh
	user   string // ssh; may be empty
	socket string // unix, ssh; may be empty for ssh
}

func (e endpoint) String() string {
	switch e.scheme {
	case "unix":
		return "unix://" + e.socket
	case "tcp":
		return "tcp://" + net.JoinHostPort(e.host, e.port)
	}
	host := e.host
	if e.port != "" {
		host = net.JoinHostPort(e.host, e.port)
	}
	if e.user != "" {
		host = e.user + "@" + host
	}
	return "ssh://" + host + e.socket
}

func decode(given map[string]string, env func(string) string) (*options, endpoint, error) {
	o := &options{Timeout: 20 * time.Second}
	if err := driver.Decode(driverName, given, o); err != nil {
		return nil, endpoint{}, err
	}
	if o.Endpoint == "" {
		o.Endpoint = env("BUILDKIT_HOST")
	}
	if o.Endpoint == "" {
		return nil, endpoint{}, wrong("endpoint", "there is none, and BUILDKIT_HOST is not set", "--driver-opt endpoint=tcp://HOST:PORT")
	}
	if o.Timeout == 0 {
		return nil, endpoint{}, wrong("timeout", "a daemon needs more than no time to answer", "")
	}
	e, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, endpoint{}, err
	}
	return o, e, o.check(e)
}

// check looks at what the options say together.
func (o *options) check(e endpoint) error {
	for option, value := range map[string]string{"cacert": o.CACert, "cert": o.Cert, "key": o.Key, "servername": o.ServerName} {
		if e.scheme != "tcp" && value != "" {
			return wrong(option, fmt.Sprintf("TLS is for tcp://, not for %s", e), "")
		}
	}
	switch {
	case o.Cert != "" && o.Key == "":
		return wrong("cert", "there is no key to it", "--driver-opt key=FILE")
	case o.Key != "" && o.Cert == "":
		return wrong("key", "there is no certificate to it", "--driver-opt cert=FILE")
	case o.Insecure && (e.scheme != "tcp" || o.secure()):
		return wrong("insecure", "it is for tcp:// without TLS", "leave it out")
	case e.scheme == "tcp" && !o.secure() && !o.Insecure && !loopback(e.host):
		return wrong("endpoint", fmt.Sprintf("%s is another host, and there is no TLS: whoever reaches the daemon may use it, and everybody on the way can change what is built", e),
			"name cacert, cert and key; or say insecure=true where the network itself is trusted")
	}
	return nil
}

// secure says whether TLS is spoken: where any part of it is named.
func (o *options) secure() bool {
	return o.CACert != "" || o.Cert != "" || o.Key != "" || o.ServerName != ""
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func parseEndpoint(s string) (endpoint, error) {
	bad := func(format string, args ...any) (endpoint, error) {
		return endpoint{}, wrong("endpoint", fmt.Sprintf("%q: ", s)+fmt.Sprintf(format, args...), "write tcp://HOST:PORT, unix:///PATH or ssh://[USER@]HOST[:PORT][/PATH]")
	}
	u, err := url.Parse(s)
	if err != nil {
		if inner, ok := err.(*url.Error); ok {
			err = inner.Err // it would repeat the endpoint
		}
		return bad("%v", err)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return bad("what follows the address is not understood")
	}
	if _, secret := u.User.Password(); secret {
		return endpoint{}, wrong("endpoint", "passwords are not supported", "ssh finds a key in its agent, its configuration or its folder")
	}
	e := endpoint{scheme: u.Scheme, host: u.Hostname(), port: u.Port(), user: u.User.Username(), socket: u.Path}
	switch e.scheme {
	case "tcp":
		if e.host == "" || e.port == "" || e.port == "0" || e.user != "" || strings.Trim(e.socket, "/") != "" {
			return bad("not a host and a port")
		}
		e.socket = ""
	case "unix":
		if u.Host != "" || u.User != nil || !path.IsAbs(e.socket) {
			return bad("not an absolute path")
		}
	case "ssh":
		// What begins with a dash would be an option of ssh's.
		if e.host == "" || strings.HasPrefix(e.host, "-") || strings.HasPrefix(e.user, "-") || strings.HasPrefix(u.Host, ":") {
			return bad("not a host")
		}
		if e.socket == "/" {
			e.socket = ""
		}
	default:
		return bad("the scheme is none of tcp, unix and ssh")
	}
	return e, nil
}

func wrong(option, message, hint string) error {
	return &driver.OptionError{Driver: driverName, Option: option, Message: message, Hint: hint}
}
