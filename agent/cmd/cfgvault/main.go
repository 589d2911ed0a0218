// Command cfgvault backs up the configuration of network and IoT devices,
// keeps it sealed, and puts it back.
package main

import (
	"os"

	"github.com/cfgvault/cfgvault/agent/cli"
)

func main() { os.Exit(cli.Main()) }
