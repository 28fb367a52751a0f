package cache

import "context"

// Shared is a repository of an OCI registry in which runners share entries.
type Shared struct{}

func (s *Shared) get(context.Context, string) ([]byte, bool) { return nil, false }
func (s *Shared) put(string, []byte)                         {}
func (s *Shared) close()                                     {}
