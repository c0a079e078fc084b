// SPDX-License-Identifier: Apache-2.0

// Replay writes OTLP metrics into a Prometheus database as fast as it can, and evaluates rule files in the time of the
// samples. A day of telemetry is in the database within seconds, recorded series and ALERTS included.
//
//	replay --data DIR --interval 15s RULES.yml... <EXPORTS
//
// EXPORTS is a sequence of exports in the order of time. Each is its time (8 bytes, big-endian, seconds since 1970), its
// length in bytes (4 bytes, big-endian), and an OTLP ExportMetricsServiceRequest of that length. The translation is the one of Prometheus' own OTLP endpoint, the rules run
// in Prometheus' own engine. Afterwards a Prometheus can be started on DIR.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	otlp "github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"github.com/prometheus/prometheus/tsdb"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

var quiet = slog.New(slog.DiscardHandler)

func main() {
	data := flag.String("data", "", "the folder of the database")
	interval := flag.Duration("interval", 15*time.Second, "how often the rules are evaluated")
	flag.Parse()
	if *data == "" {
		fmt.Fprintln(os.Stderr, "replay: --data names no folder")
		os.Exit(2)
	}
	if err := replay(*data, *interval, flag.Args(), bufio.NewReader(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

func replay(folder string, interval time.Duration, files []string, exports *bufio.Reader) error {
	options := tsdb.DefaultOptions()
	options.RetentionDuration = (365 * 24 * time.Hour).Milliseconds()
	options.OutOfOrderTimeWindow = (30 * time.Minute).Milliseconds()
	options.EnableExemplarStorage, options.MaxExemplars = true, 100_000
	database, err := tsdb.Open(folder, quiet, nil, options, nil)
	if err != nil {
		return err
	}
	groups, err := load(database, interval, files)
	if err != nil {
		return errors.Join(err, database.Close())
	}
	var evaluated time.Time
	for err == nil {
		var export pmetric.Metrics
		var at time.Time
		if export, at, err = read(exports); err != nil {
			break
		}
		if evaluated.IsZero() {
			evaluated = at.Truncate(interval)
		}
		// What was scraped until now is what an evaluation at this time can see.
		for next := evaluated.Add(interval); !next.After(at); next = next.Add(interval) {
			evaluated = next
			err = errors.Join(err, evaluate(groups, next))
		}
		err = errors.Join(err, write(database, export))
	}
	if errors.Is(err, io.EOF) {
		err = nil
		if !evaluated.IsZero() {
			err = evaluate(groups, evaluated.Add(interval))
		}
	}
	return errors.Join(err, database.Close())
}

// load reads the rule files; the groups come back in the order of the files and of the groups in them.
func load(database *tsdb.DB, interval time.Duration, files []string) ([]*rules.Group, error) {
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: quiet, MaxSamples: 50_000_000, Timeout: 2 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		Parser:                   parser.NewParser(parser.Options{}),
		NoStepSubqueryIntervalFn: func(int64) int64 { return interval.Milliseconds() },
	})
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(engine, database), Appendable: database, Queryable: database,
		Context: context.Background(), NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Logger: quiet,
		Parser: parser.NewParser(parser.Options{}),
	})
	var groups []*rules.Group
	for _, file := range files {
		loaded, problems := manager.LoadGroups(interval, labels.EmptyLabels(), "", nil, false, file)
		if len(problems) > 0 {
			return nil, errors.Join(problems...)
		}
		written, problems := rulefmt.ParseFile(file, false, model.LegacyValidation, parser.NewParser(parser.Options{}), quiet)
		if len(problems) > 0 {
			return nil, errors.Join(problems...)
		}
		for _, group := range written.Groups {
			groups = append(groups, loaded[rules.GroupKey(file, group.Name)])
		}
	}
	for _, group := range groups {
		for _, rule := range group.Rules() {
			if alert, ok := rule.(*rules.AlertingRule); ok {
				alert.SetRestored(true) // else no series ALERTS is written
			}
		}
	}
	return groups, nil
}

func evaluate(groups []*rules.Group, at time.Time) error {
	var problems []error
	for _, group := range groups {
		group.Eval(context.Background(), at)
		for _, rule := range group.Rules() {
			if err := rule.LastError(); err != nil {
				problems = append(problems, fmt.Errorf("%s at %s: %w", rule.Name(), at, err))
			}
		}
	}
	return errors.Join(problems...)
}

// read returns the next export and its time.
func read(exports *bufio.Reader) (pmetric.Metrics, time.Time, error) {
	var head struct {
		Time   uint64
		Length uint32
	}
	if err := binary.Read(exports, binary.BigEndian, &head); err != nil {
		return pmetric.Metrics{}, time.Time{}, err
	}
	body := make([]byte, head.Length)
	if _, err := io.ReadFull(exports, body); err != nil {
		return pmetric.Metrics{}, time.Time{}, fmt.Errorf("an export is cut short: %w", err)
	}
	request := pmetricotlp.NewExportRequest()
	err := request.UnmarshalProto(body)
	return request.Metrics(), time.Unix(int64(head.Time), 0), err
}

// write stores an export as the OTLP endpoint of Prometheus does.
func write(database *tsdb.DB, export pmetric.Metrics) error {
	settings := config.DefaultOTLPConfig
	appender := database.AppenderV2(context.Background())
	_, err := otlp.NewPrometheusConverter(appender).FromMetrics(context.Background(), export, otlp.Settings{
		AddMetricSuffixes: true, LookbackDelta: 5 * time.Minute,
		LabelNameUnderscoreSanitization: true, LabelNamePreserveMultipleUnderscores: true,
		PromoteResourceAttributes: otlp.NewPromoteResourceAttributes(settings),
	})
	if err != nil {
		return errors.Join(err, appender.Rollback())
	}
	return appender.Commit()
}
