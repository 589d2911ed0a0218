package e2e

import (
	"slices"
	"sync"
	"time"
)

// skipClock is a device's clock that runs as the machine's does and can be
// moved on, so that a script need not wait for a device's timer.
type skipClock struct {
	mu      sync.Mutex
	skipped time.Duration
	timers  []*skipTimer
}

type skipTimer struct {
	at   time.Time
	real *time.Timer
}

// Now implements device.Clock.
func (c *skipClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *skipClock) now() time.Time { return time.Now().Add(c.skipped) }

// AfterFunc implements device.Clock.
func (c *skipClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &skipTimer{at: c.now().Add(d), real: time.AfterFunc(d, f)}
	c.timers = append(c.timers, t)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.timers = slices.DeleteFunc(c.timers, func(x *skipTimer) bool { return x == t })
		return t.real.Stop()
	}
}

// Skip moves the clock on; what falls due runs at once.
func (c *skipClock) Skip(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped += d
	for _, t := range c.timers {
		if t.real.Stop() { // it has not run
			t.real.Reset(t.at.Sub(c.now()))
		}
	}
}
