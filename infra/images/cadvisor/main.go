// cAdvisor for machines that cannot pull its image: the collector of the official program, which is a library, behind
// the flags and the two addresses of the official program that this project uses (/metrics and /healthz).
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	_ "github.com/google/cadvisor/container/docker/install"
	v2 "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/utils/clock"
)

// How long samples are kept in memory: a scrape wants the newest one.
const kept = 2 * time.Minute

var (
	port    = flag.Int("port", 8080, "port to listen on")
	labels  = flag.String("whitelisted_container_labels", "", "comma-separated labels of containers that become labels of metrics")
	_       = flag.Bool("store_container_labels", false, "accepted for the official program's sake: only whitelisted labels are exported")
	enabled = container.MetricSet{}
)

func main() {
	flag.Var(&enabled, "enable_metrics", "comma-separated kinds of metrics")
	flag.Parse()
	watched, err := manager.New(memory.New(kept, nil), sysfs.NewRealSysFs(), manager.HousekeepingConfigFlags, enabled,
		http.DefaultClient, []string{"/"}, []string{""}, "", 0)
	if err != nil {
		log.Fatal(err)
	}
	if err := watched.Start(); err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	everything := v2.RequestOptions{IdType: v2.TypeName, Count: 1, Recursive: true}
	named := metrics.BaseContainerLabels(strings.Split(*labels, ","))
	registry.MustRegister(
		metrics.NewPrometheusCollector(watched, named, enabled, clock.RealClock{}, everything),
		metrics.NewPrometheusMachineCollector(watched, enabled),
	)
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	http.HandleFunc("/healthz", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, "ok") })
	log.Fatal(http.ListenAndServe(fmt.Sprintf(":%d", *port), nil))
}
