// chart-testing, which the benchmarks run beside chartgate, pinned.
module github.com/chartgate/chartgate/tools/chart-testing

go 1.26.0

require github.com/helm/chart-testing/v3 v3.14.0
