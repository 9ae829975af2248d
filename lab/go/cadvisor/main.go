// cAdvisor as the lab builds it: upstream's library with a command of the lab's own.
//
// Upstream's command is a module of its own, which replaces the library by the folder beside it and has no versions: no
// module proxy has it. This one takes those of upstream's flags that the role `exporters` uses, has the same metrics
// under the same names, and leaves out what nobody here asks for: the web page, the API and storage drivers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	v2 "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/google/cadvisor/version"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	// These register themselves: the one runtime that the platform has, and file systems that hosts keep containers on.
	_ "github.com/google/cadvisor/container/docker/install"
	_ "github.com/google/cadvisor/fs/btrfs/install"
	_ "github.com/google/cadvisor/fs/overlay/install"
	_ "github.com/google/cadvisor/fs/tmpfs/install"
	_ "github.com/google/cadvisor/fs/vfs/install"
)

// How long measurements are kept: long enough for the rates that the library makes of them.
const kept = 2 * time.Minute

type options struct {
	address   string
	port      int
	endpoint  string
	allLabels bool
	labels    string
	disabled  container.MetricSet
	version   bool
}

// register names the flags as upstream does; those of the library, such as -docker_only, register themselves.
func (o *options) register(flags *flag.FlagSet) {
	o.disabled = container.MetricSet{}
	flags.StringVar(&o.address, "listen_ip", "", "address to listen on, all of them by default")
	flags.IntVar(&o.port, "port", 8080, "port to listen on")
	flags.StringVar(&o.endpoint, "prometheus_endpoint", "/metrics", "path of the metrics")
	flags.BoolVar(&o.allLabels, "store_container_labels", true, "make labels of all of a container's labels")
	flags.StringVar(&o.labels, "whitelisted_container_labels", "", "the labels to take where not all are, by commas")
	flags.Var(&o.disabled, "disable_metrics", "`kinds` of metrics to leave out, by commas, of: "+container.AllMetrics.String())
	flags.BoolVar(&o.version, "version", false, "show the version and end")
}

func (o *options) labelsOf() metrics.ContainerLabelsFunc {
	if o.allLabels {
		return metrics.DefaultContainerLabels
	}
	return metrics.BaseContainerLabels(strings.Split(o.labels, ","))
}

// routes answers for the metrics, and for whoever wants to know whether the program answers at all.
func (o *options) routes(source manager.Manager, included container.MetricSet) http.Handler {
	registry := prometheus.NewRegistry()
	latest := v2.RequestOptions{IdType: v2.TypeName, Count: 1, Recursive: true}
	registry.MustRegister(
		metrics.NewPrometheusCollector(source, o.labelsOf(), included, clock.RealClock{}, latest),
		metrics.NewPrometheusMachineCollector(source, included),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle(o.endpoint, promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("/healthz", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, "ok") })
	return mux
}

func (o *options) run() error {
	included := container.AllMetrics.Difference(o.disabled)
	// Control groups to report beside those of containers: an empty prefix is none of them under -docker_only and all
	// of them without it. The library wants one prefix at least.
	prefixes := []string{""}
	source, err := manager.New(
		memory.New(kept, nil), sysfs.NewRealSysFs(), manager.HousekeepingConfigFlags, included,
		http.DefaultClient, prefixes, nil, "", 0,
	)
	if err != nil {
		return fmt.Errorf("cannot look at control groups: %w", err)
	}
	if err := source.Start(); err != nil {
		return fmt.Errorf("cannot watch containers: %w", err)
	}
	defer source.Stop()

	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	server := &http.Server{
		Addr:              net.JoinHostPort(o.address, strconv.Itoa(o.port)),
		Handler:           o.routes(source, included),
		ReadHeaderTimeout: 10 * time.Second,
	}
	context.AfterFunc(stop, func() { server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot answer at %s: %w", server.Addr, err)
	}
	return nil
}

func main() {
	var chosen options
	klog.InitFlags(nil)
	chosen.register(flag.CommandLine)
	flag.Parse()
	if chosen.version {
		fmt.Printf("cAdvisor version %s (%s)\n", version.Version, version.Revision)
		return
	}
	if err := chosen.run(); err != nil {
		klog.Exit(err)
	}
}
