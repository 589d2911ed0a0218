// Command cfgvault-plugin-brook is a third-party driver in a module of its
// own, for switches that exist only here. It uses nothing of cfgvault but
// packages plugins and plugins/serve, and so shows what a vendor writes and
// holds cfgvault to it.
package main

import (
	"os"

	"github.com/cfgvault/cfgvault/plugins/serve"
)

func main() { os.Exit(serve.Main(brook{})) }
