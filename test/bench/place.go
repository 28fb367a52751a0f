package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/registry/server"
	"github.com/chartgate/chartgate/test/bench/generate"
)

// place is a Git repository of charts and a registry on loopback with what they depend on.
type place struct {
	work, repo string
	charts     []string // their folders, absolute
	count      int
	env        []string
	stop       func()
}

func prepare(ctx context.Context, o options) (*place, error) {
	p := &place{work: o.work, repo: filepath.Join(o.work, "repo"), stop: func() {}}
	home := filepath.Join(o.work, "home")
	p.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "HELM_CACHE_HOME=" + filepath.Join(home, "helm"), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=bench", "GIT_AUTHOR_EMAIL=bench@example.com", "GIT_COMMITTER_NAME=bench", "GIT_COMMITTER_EMAIL=bench@example.com"}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	if o.corpus != "" {
		if err := os.CopyFS(filepath.Join(p.repo, "charts"), os.DirFS(o.corpus)); err != nil {
			return nil, err
		}
	} else if err := p.generate(ctx, o); err != nil {
		return nil, err
	}
	if err := p.commit(ctx, "charts", [][]string{{"init", "-q", "-b", "main"}}); err != nil {
		return nil, err
	}
	// Versions are compared with those of the commit before.
	if err := os.WriteFile(filepath.Join(p.repo, "BENCH.md"), []byte("# Charts\n"), 0o644); err != nil {
		return nil, err
	}
	if err := p.commit(ctx, "docs", nil); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(p.repo, "charts", "*", "Chart.yaml"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		p.charts = append(p.charts, filepath.Dir(f))
	}
	slices.Sort(p.charts)
	p.count = len(p.charts)
	return p, nil
}

func (p *place) commit(ctx context.Context, message string, before [][]string) error {
	for _, args := range append(before, []string{"add", "-A"}, []string{"commit", "-q", "-m", message}) {
		if err := p.run(ctx, p.repo, "git", args...); err != nil {
			return err
		}
	}
	return nil
}

// generate writes the charts, and publishes those that they depend on.
func (p *place) generate(ctx context.Context, o options) error {
	srv, err := server.New(filepath.Join(p.work, "registry"), server.Options{})
	if err != nil {
		return err
	}
	running, err := srv.Start(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.stop = func() {
		running.Close(context.WithoutCancel(ctx))
		srv.Close()
	}
	repository := "oci://" + running.Addr + "/charts"
	if err := generate.Charts(p.repo, o.charts, o.seed, repository); err != nil {
		return err
	}
	out := filepath.Join(p.work, "packages")
	for _, name := range generate.Shared {
		chart := filepath.Join(p.repo, "shared", name)
		for _, args := range [][]string{
			{"dependency", "update", chart, "--plain-http"}, {"package", chart, "-d", out}, {"push", filepath.Join(out, name+"-"+generate.SharedVersion+".tgz"), repository, "--plain-http"},
		} {
			if err := p.run(ctx, p.repo, "helm", args...); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(filepath.Join(p.repo, "shared"))
}

func (p *place) close() { p.stop() }

// run runs a program that has to end well.
func (p *place) run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, p.env
	var messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &messages, &messages
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, messages.String())
	}
	return nil
}
