package doctor

import (
	"context"
	"fmt"
	"path/filepath"
)

// How much room a build wants, in bytes and files.
const (
	littleRoom = 5 << 30
	noRoom     = 512 << 20
	fewFiles   = 50_000
)

// longestSocket is the longest name below the runtime folder, with what is made up there:
// a Unix socket's path may have 107 bytes.
const longestSocket = 107 - len("/chartgate-0123456789/buildkit/otel-grpc.sock")

// runtimeFolders are where the local driver would put the daemon's socket, in order.
func (m *Machine) runtimeFolders() []string {
	var out []string
	candidates := []string{m.Env("XDG_RUNTIME_DIR"), m.temporary(), "/tmp"}
	if m.UID == 0 {
		candidates = candidates[1:] // root's is not the daemon's
	}
	for _, dir := range candidates {
		if filepath.IsAbs(dir) && len(dir) <= longestSocket {
			out = append(out, dir)
		}
	}
	return out
}

func runtimeFolder(ctx context.Context, m *Machine) Result {
	t, r, made := m.attempted(ctx)
	switch {
	case !made:
		return r
	case t.Socket.Worked():
		return ok("%s can be written", t.SocketFolder)
	}
	return problem("no folder for the daemon's socket can be written: %s", t.Socket.Error).
		mend(Fix{"the variables of the job: a short path to a folder that it may write", []string{"TMPDIR: /builds/tmp"}})
}

func stateFolder(ctx context.Context, m *Machine) Result {
	t, r, made := m.attempted(ctx)
	if !made {
		return r
	}
	dir := m.stateFolder()
	elsewhere := Fix{"the command line, or TMPDIR: another folder", []string{"chartgate build --driver local --driver-opt root=/builds/.buildkit"}}
	if !t.Folder.Worked() {
		return problem("%s cannot be written by the daemon's user: %s", dir, t.Folder.Error).mend(elsewhere)
	}
	s, err := m.Space(dir)
	if err != nil {
		return warning("it is not known how full %s is: %v", dir, err)
	}
	room := fmt.Sprintf("%s has %s free of %s", dir, size(s.Free), size(s.Total))
	switch {
	case s.Free < noRoom:
		return problem("%s", room).because("a build needs room for its layers, several times").mend(elsewhere)
	case s.TotalFiles > 0 && s.FreeFiles < fewFiles:
		return warning("%s has room for only %d more files", dir, s.FreeFiles).mend(elsewhere)
	case s.Free < littleRoom:
		return warning("%s", room).because("large images may not fit").mend(elsewhere)
	}
	return ok("%s", room)
}

// size is for people: 1.5 GiB.
func size(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}
