// Package registry speaks to OCI registries and to HTTP chart repositories. It
// is the only room that does, so that credentials, retries, limits and errors
// are settled in one place.
//
// # What is trusted
//
// A registry or chart repository is an outside party: it may be slow, broken or
// hostile. Whatever it answers is bounded in size, count and time, and every
// content is verified against its digest before it is handed on. These rules
// keep credentials where they belong:
//
//   - A credential is looked up by host and port, exactly, and is sent to that
//     host alone. The GitLab job's CI_REGISTRY_PASSWORD is for $CI_REGISTRY.
//   - A redirect that leaves the origin (scheme, host and port) of its first
//     request carries neither Authorization nor Referer, and no later hop gets
//     them back. A redirect from https to http is refused.
//   - HTTPS never falls back to HTTP. Plain HTTP is for the hosts that
//     [Options] names.
//   - Neither errors nor attempts listed in them contain user names, passwords,
//     tokens or query strings.
//
// # Token realms
//
// A registry that wants a bearer token names the realm that issues it, and the
// realm is handed the credential that is meant for the registry, as docker
// does. GitLab is the case that matters: the registry is registry.example.com,
// its realm is at gitlab.example.com, often on a private network.
//
// The credential itself is not at stake: a hostile registry receives it anyway.
// What is at stake is that a hostile registry could have the runner ask a
// service inside its network, and be shown the "token" found in the answer. So:
//
//   - A realm is asked over https, or over http if the registry itself was
//     reached over plain http.
//   - Link-local addresses and the cloud metadata services are never asked.
//   - A private or loopback address is asked if the registry has the same host
//     name or was itself reached at such an address, if the registry is
//     $CI_REGISTRY and the realm is at $CI_SERVER_HOST, or if
//     [Options.TokenHosts] names the realm's host. A registry on the internet
//     has no other reason to name an address of the runner's own network.
//   - Addresses are checked when the connection is made, on the address that is
//     dialled, so a name that resolves differently the second time gains
//     nothing. Behind a proxy the proxy resolves names; its own rules apply.
//   - A redirect is followed only to the realm's own origin.
package registry
