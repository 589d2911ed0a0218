// Command report prints, per platform with laboratory material in the corpus, how the
// interfaces of the normalised tree agree with what the devices said of
// themselves, and what became of the configuration's lines. With -files it
// prints the second of other files, and whether the laws of the lenses hold for
// them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/cfgvault/cfgvault/e2e/corpus"
	"github.com/cfgvault/cfgvault/plugins"
)

func main() {
	wrong := flag.Bool("wrong", false, "print the leaves that differ")
	files := flag.String("files", "", "measure FOLDER/DRIVER/* instead; with -wrong, print what was not understood")
	flag.Parse()
	var err error
	if *files != "" {
		err = trials(*files, *wrong)
	} else {
		err = report(*wrong)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func report(wrong bool) error {
	if corpus.Folder() == "" {
		return fmt.Errorf("CFGVAULT_CORPUS does not name the folder of the corpus")
	}
	devices, err := corpus.Labs(corpus.Folder())
	if err != nil {
		return err
	}
	scores, err := corpus.Measure(context.Background(), devices)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PLATFORM\tDEVICES\tLEAVES\tPRECISION\tTOLD\tRECALL\tLINES\tUNPARSED\tBOUND\tOF CONTENT\tBOILERPLATE\tBOUND\tOF CONTENT")
	for _, s := range scores {
		unparsed := "-"
		if b, ok := corpus.Bound(s.Driver); ok {
			unparsed = fmt.Sprintf("< %.0f %%", b)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%.1f %%\t%d\t%.1f %%\t%d\t%.1f %%\t%s\t%.1f %%\t%.1f %%\t≤ %d %%\t%.1f %%\n", s.Driver, s.Devices, s.Yielded, s.Precision(), s.Told, s.Recall(),
			s.Significant(), s.Share(plugins.Unparsed), unparsed, s.OfContent(plugins.Unparsed), s.Share(plugins.Boilerplate), corpus.MostBoilerplate, s.OfContent(plugins.Boilerplate))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if wrong {
		for _, s := range scores {
			for _, line := range s.Wrong {
				fmt.Println(s.Driver+":", line)
			}
		}
	}
	return nil
}

func trials(folder string, wrong bool) error {
	all, err := corpus.Try(context.Background(), folder)
	if err != nil {
		return err
	}
	broken := 0
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PLATFORM\tFILES\tLINES\tUNPARSED\tBOILERPLATE\tBROKEN LAWS")
	for _, t := range all {
		fmt.Fprintf(w, "%s\t%d\t%d\t%.1f %%\t%.1f %%\t%d\n", t.Driver, t.Devices, t.Significant(), t.Share(plugins.Unparsed), t.Share(plugins.Boilerplate), len(t.Broken))
		broken += len(t.Broken)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, t := range all {
		for _, line := range t.Broken {
			fmt.Println(t.Driver+":", line)
		}
		for _, line := range t.Unparsed {
			if wrong {
				fmt.Println(t.Driver+":", line)
			}
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d laws are broken", broken)
	}
	return nil
}
