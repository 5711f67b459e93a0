// Sets marked fields in the YAML files of a folder, by the readers and the writer that Flux's
// image-automation-controller is made of (kyaml), which no registry of Go modules has to be built.
//
//	setimages FOLDER NAMESPACE:NAME:tag=VALUE...
package main

import (
	"bytes"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/fieldmeta"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const mark = "$imagepolicy"

func main() {
	fieldmeta.SetShortHandRef(mark)
	openapi.SuppressBuiltInSchemaUse()
	values := map[string]string{}
	for _, argument := range os.Args[2:] {
		name, value, _ := strings.Cut(argument, "=")
		values[fieldmeta.DefinitionsPrefix+fieldmeta.SetterDefinitionPrefix+name] = value
	}
	err := filepath.WalkDir(os.Args[1], func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(content, []byte(mark)) {
			return err
		}
		return rewrite(path, content, values)
	})
	if err != nil {
		log.Fatal(err)
	}
}

func rewrite(path string, content []byte, values map[string]string) error {
	nodes, err := (&kio.ByteReader{Reader: bytes.NewReader(content), PreserveSeqIndent: true}).Read()
	if err != nil {
		return err
	}
	changed := false
	for _, node := range nodes {
		changed = set(node, values) || changed
	}
	if !changed {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return kio.ByteWriter{Writer: file}.Write(nodes)
}

// set gives each marked scalar below a node its value, and tells whether any got another one.
func set(node *yaml.RNode, values map[string]string) bool {
	changed := false
	below := func(inner *yaml.RNode) error {
		changed = set(inner, values) || changed
		return nil
	}
	switch node.YNode().Kind {
	case yaml.MappingNode:
		_ = node.VisitFields(func(field *yaml.MapNode) error { return below(field.Value) })
	case yaml.SequenceNode:
		_ = node.VisitElements(below)
	case yaml.ScalarNode:
		meta := fieldmeta.FieldMeta{}
		if meta.Read(node) != nil {
			return false
		}
		value, marked := values[meta.Schema.Ref.String()]
		if marked && node.YNode().Value != value {
			node.YNode().Value = value
			return true
		}
	}
	return changed
}
