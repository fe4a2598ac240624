// Checks Grafana boards with Grafana's foundation SDK: unknown fields and wrong types are errors, and so is what its Validate finds.
//
//	cd tests/boards && go run . ../../grafana/dashboards ../../grafana/dashboards-influxql
//
// It reads all JSON files below the folders, and exits with 1 if a board has a fault. The SDK is not a Grafana server.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// later are fields that Grafana 12.3 has and this version of the SDK does not know.
var later = []string{"wrapHeaderText"}

// known removes the fields of later from a value of JSON.
func known(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range later {
			delete(value, name)
		}
		for name, field := range value {
			value[name] = known(field)
		}
	case []any:
		for place, item := range value {
			value[place] = known(item)
		}
	}
	return value
}

// fault returns nil for an empty list of faults, which the SDK returns as an error.
func fault(err error) error {
	var faults cog.BuildErrors
	if errors.As(err, &faults) && len(faults) == 0 {
		return nil
	}
	return err
}

// check returns the number of panels of a board.
func check(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		return 0, err
	}
	if text, err = json.Marshal(known(decoded)); err != nil {
		return 0, err
	}
	var board dashboard.Dashboard
	if err := fault(board.UnmarshalJSONStrict(text)); err != nil {
		return 0, err
	}
	return len(board.Panels), fault(board.Validate())
}

func main() {
	plugins.RegisterDefaultPlugins()
	boards, panels, faults := 0, 0, 0
	visit := func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".json") {
			return err
		}
		found, err := check(file)
		if err != nil {
			faults++
			fmt.Fprintf(os.Stderr, "%s:\n%v\n", file, err)
		}
		boards++
		panels += found
		return nil
	}
	for _, folder := range os.Args[1:] {
		if err := filepath.WalkDir(folder, visit); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if boards == 0 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER…: there is no board")
		os.Exit(64)
	}
	if faults > 0 {
		os.Exit(1)
	}
	fmt.Printf("%d boards with %d panels: the SDK finds no fault\n", boards, panels)
}
