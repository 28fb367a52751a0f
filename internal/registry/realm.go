package registry

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
)

// errRealm marks a token realm that is not asked.
var errRealm = errors.New("refusing to ask the token realm")

// realmPolicy decides which realms are asked for tokens; see the package's
// documentation for the reasons.
type realmPolicy struct {
	env   func(string) string
	hosts []string
}

// allow reports whether a realm may be asked at private addresses too, or why it
// is not asked at all.
func (p realmPolicy) allow(realm, registry *url.URL, peer netip.Addr) (private bool, err error) {
	switch {
	case realm.Host == "":
		return false, fmt.Errorf("%w: it names no host", errRealm)
	case realm.Scheme == "http" && registry.Scheme != "http":
		return false, fmt.Errorf("%w at %s: it speaks http, the registry https", errRealm, realm.Host)
	case realm.Scheme != "http" && realm.Scheme != "https":
		return false, fmt.Errorf("%w at %s: its scheme is %q", errRealm, realm.Host, realm.Scheme)
	}
	if strings.EqualFold(realm.Hostname(), registry.Hostname()) || (peer.IsValid() && internal(peer)) {
		return true, nil
	}
	if sameHost(registry.Host, p.env("CI_REGISTRY")) && sameHost(realm.Hostname(), p.env("CI_SERVER_HOST")) {
		return true, nil
	}
	return slices.ContainsFunc(p.hosts, func(h string) bool {
		return strings.EqualFold(h, realm.Host) || strings.EqualFold(h, realm.Hostname())
	}), nil
}

// realmRedirect keeps a token request at the realm that was checked.
func realmRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects || !sameOrigin(via[0].URL, req.URL) {
		return fmt.Errorf("%w: it redirects to %s", errRealm, req.URL.Host)
	}
	if req.Body != nil && req.Body != http.NoBody {
		return fmt.Errorf("%w: it redirects while an identity token is being sent", errRealm)
	}
	return nil
}

type dialControl func(network, address string, c syscall.RawConn) error

// metadata are the addresses outside the link-local ranges at which clouds give
// credentials to whoever asks from inside.
func metadata(a netip.Addr) bool {
	switch a.String() {
	case "100.100.100.200", "fd00:ec2::254", "192.0.0.192", "168.63.129.16":
		return true
	}
	return a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsMulticast() || a.IsUnspecified()
}

// internal are the addresses that mean something else to every network.
func internal(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || metadata(a) || netip.MustParsePrefix("100.64.0.0/10").Contains(a)
}

// refuseMetadata is a dial control for realms that may be at private addresses.
func refuseMetadata(_, address string, _ syscall.RawConn) error {
	return refuseAddr(address, metadata, "a link-local or metadata address")
}

// refuseInternal is a dial control for realms that may not.
func refuseInternal(_, address string, _ syscall.RawConn) error {
	return refuseAddr(address, internal, "a private address, which a registry on the internet has no business to name")
}

func refuseAddr(address string, bad func(netip.Addr) bool, why string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w at %q: not an address", errRealm, address)
	}
	if bad(ap.Addr().Unmap().WithZone("")) {
		return fmt.Errorf("%w at %s: %s", errRealm, ap.Addr(), why)
	}
	return nil
}

// addrOf is the IP address of a connection's end, invalid if it has none.
func addrOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		if addr, ok := netip.AddrFromSlice(tcp.IP); ok {
			return addr.Unmap()
		}
	}
	return netip.Addr{}
}

// sameHost compares host:port, where the port of HTTPS may be left out.
func sameHost(a, b string) bool {
	norm := func(s string) string {
		return strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), ":443")
	}
	return a != "" && norm(a) == norm(b)
}
