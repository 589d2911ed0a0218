package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// table prints the measurements, one line each.
type table struct{ w io.Writer }

// row prints both medians, and the median of the ratios pair by pair: the
// members of a pair were measured one after the other, in the same noise.
func (t table) row(work string, ours, peer []time.Duration, budget string) {
	fmt.Fprintf(t.w, "%-58s %9.2fs %9.2fs %7.2fx %9s\n", work, median(ours).Seconds(), median(peer).Seconds(), ratio(ours, peer), budget)
}

// line is a row of single measurements.
func (t table) line(work string, ours, peer time.Duration, budget string) {
	t.row(work, []time.Duration{ours}, []time.Duration{peer}, budget)
}

// note prints a time that has no peer.
func (t table) note(work string, took time.Duration, budget string) {
	fmt.Fprintf(t.w, "%-58s %8.1fms %10s %8s %9s\n", work, took.Seconds()*1000, "", "", budget)
}

func (t table) size(work string, bytes int64, budget string) {
	fmt.Fprintf(t.w, "%-58s %7.1fMiB %10s %8s %9s\n", work, float64(bytes)/(1<<20), "", "", budget)
}

func (t table) count(work string, n int64, budget string) {
	fmt.Fprintf(t.w, "%-58s %10d %10s %8s %9s\n", work, n, "", "", budget)
}

// median is the middle one, of an even number the upper of the two.
func median(d []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(d))[len(d)/2]
}

// ratio is the median of the ratios, pair by pair.
func ratio(ours, peer []time.Duration) float64 {
	var all []float64
	for i := range min(len(ours), len(peer)) {
		all = append(all, ours[i].Seconds()/peer[i].Seconds())
	}
	slices.Sort(all)
	return all[len(all)/2]
}
