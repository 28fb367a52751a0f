# `make` lists the targets. What they need beyond Go, git and make is built from
# pinned modules, or asked for in plain words where it cannot be.

GO ?= go
PKGS ?= ./...

# The same flags everywhere, so that each package is compiled once.
export CGO_ENABLED = 0
export GOFLAGS := $(strip $(filter-out -trimpath,$(shell $(GO) env GOFLAGS)) -trimpath)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
GO_FOLDERS = $(wildcard cmd internal test)
SHELL_FILES = .ci/run $(wildcard tools/*.sh charts/*.sh charts/*/*.sh testdata/charts/ok/*/charts/*/*.sh)
YAML_FILES = .gitlab-ci.yml .pre-commit-hooks.yaml

# Stand-ins for the charts that ours depend on, for machines that cannot reach those.
MIRROR = oci://registry-1.docker.io/bitnamicharts=testdata/upstream/bitnamicharts

# The race detector wants a C compiler on most systems.
CC_FOUND := $(shell command -v $${CC:-cc} || command -v gcc || command -v clang)

.PHONY: help build run test lint vulncheck e2e e2e-kubernetes bench bench-go bench-yaml bench-build clean

help: ## list the targets
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-14s %s\n' "$$name" "$$text"; done

build: ## build bin/chartgate, a static binary
	$(GO) build -ldflags '-s -w -X main.version=$(VERSION)' -o bin/chartgate ./cmd/chartgate

run: build ## validate everything under charts/ and publish what passed to a registry of our own
	./bin/chartgate publish --to embedded --mirror $(MIRROR)

test: ## unit, golden, CLI and integration tests, with the race detector
ifneq ($(CC_FOUND),)
	CGO_ENABLED=1 $(GO) test -race $(PKGS)
else
	@echo "make test: WITHOUT the race detector, which wants a C compiler (gcc or clang) and finds none" >&2
	$(GO) test $(PKGS)
endif

lint: ## gofmt, go vet, staticcheck, shellcheck, yamllint, govulncheck
	@unformatted=$$(gofmt -l $(GO_FOLDERS)); [ -z "$$unformatted" ] || { echo "gofmt -w $$unformatted"; exit 1; }
	$(GO) vet -tags e2e,e2e_kubernetes $(PKGS)
	$$(tools/install.sh staticcheck) -tags e2e,e2e_kubernetes $(PKGS)
	@if command -v shellcheck >/dev/null; then set -x; shellcheck $(SHELL_FILES); \
		else echo "make lint: SKIPPED shellcheck, which is not installed" >&2; fi
	@if command -v yamllint >/dev/null; then set -x; yamllint --strict $(YAML_FILES); \
		else echo "make lint: SKIPPED yamllint, which is not installed" >&2; fi
	@$(MAKE) --no-print-directory vulncheck

vulncheck: ## look for known vulnerabilities in what the binary calls
	@tools/vulncheck.sh ./cmd/...

e2e: build ## run against real helm, registry, kubesec, yamllint, pre-commit and BuildKit
	@tools/e2e.sh

e2e-kubernetes: ## run the Kubernetes driver in a real cluster of one node (Linux, root)
	@tools/cluster.sh

bench: build ## chartgate beside a pipeline's five jobs, chart-testing and helm, over 117 generated charts; CORPUS=DIR takes others
	@tools/bench.sh $(BENCH_FLAGS)

bench-go: ## benchmarks of Go's
	$(GO) test -run '^$$' -bench . -benchmem $(PKGS)

bench-yaml: build ## CPU time and memory of yaml-lint beside yamllint's, over 20 MiB of values files
	CHARTGATE=$(CURDIR)/bin/chartgate BENCH_YAML_MB=$${BENCH_YAML_MB:-20} $(GO) test -tags e2e -count=1 -timeout 60m -run '^TestYAMLLintFigures$$' -v ./test/e2e

bench-build: build ## a build beside buildctl's on one rootless daemon
	BENCH_BUILD=$${BENCH_BUILD:-15} PKGS='./test/build ./internal/buildkit' tools/e2e.sh -run '^TestFigures$$'

clean: ## remove what was built, and the embedded registry
	rm -rf bin .chartgate
