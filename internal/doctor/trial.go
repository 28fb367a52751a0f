package doctor

import (
	"context"
	"fmt"
)

// Plan says what to attempt.
type Plan struct {
	NewUIDMap, NewGIDMap string // programs; no ids are mapped when one is empty
	UIDs, GIDs           []Range
	Folder               string   // where the daemon's state would lie
	Sockets              []string // folders for the daemon's socket, of which one is needed
	Rootlesskit          string   // asked where this program may not; it is not when empty
	Fuse                 string   // fuse-overlayfs; it is not attempted when empty
}

// Attempt is what came of one step. The zero value is one that was not made.
type Attempt struct {
	Made  bool   `json:"made"`
	Error string `json:"error"` // "" when it worked
}

// Worked says whether it was made and ended well.
func (a Attempt) Worked() bool { return a.Made && a.Error == "" }

// Failed says whether it was made and ended badly.
func (a Attempt) Failed() bool { return a.Made && a.Error != "" }

func attempt(err error) Attempt {
	if err != nil {
		return Attempt{true, err.Error()}
	}
	return Attempt{Made: true}
}

// Trial is what came of a plan, in the order in which things were attempted.
type Trial struct {
	Folder       Attempt `json:"folder"`       // writing in the folder of the state
	Socket       Attempt `json:"socket"`       // writing in one of the folders for a socket
	SocketFolder string  `json:"socketFolder"` // that one
	Namespace    Attempt `json:"namespace"`    // making a user namespace
	UIDs         Attempt `json:"uids"`         // mapping ids by newuidmap
	GIDs         Attempt `json:"gids"`
	Rights       Attempt `json:"rights"`    // root in the namespace has capabilities
	Propagate    Attempt `json:"propagate"` // changing how mounts spread, the first that rootlesskit does
	Overlay      Attempt `json:"overlay"`   // mounting overlayfs, changing and removing files in it
	Fuse         Attempt `json:"fuse"`      // the same by fuse-overlayfs
	Proc         Attempt `json:"proc"`      // mounting proc in a new process namespace
}

// trial makes the attempts, once.
func (m *Machine) trial(ctx context.Context) (Trial, error) {
	m.onceTrial.Do(func() {
		who, err := m.builder()
		if err != nil {
			m.tried = trialResult{err: fmt.Errorf("there is nobody to run the daemon as: %w", err)}
			return
		}
		uids, _ := m.ranges("/etc/subuid")
		gids, _ := m.ranges("/etc/subgid")
		p := Plan{NewUIDMap: m.Program("newuidmap"), NewGIDMap: m.Program("newgidmap"), Folder: m.stateFolder(), Sockets: m.runtimeFolders(), Fuse: m.Program("fuse-overlayfs"), Rootlesskit: m.Program("rootlesskit"),
			UIDs: m.owned(ctx, who, uids, false), GIDs: m.owned(ctx, who, gids, true)}
		t, err := m.Try(ctx, who, p)
		m.tried = trialResult{t, err}
	})
	return m.tried.trial, m.tried.err
}
