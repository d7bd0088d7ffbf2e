package main

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Keys that come twice in one mapping. yaml.v2's strict mode would also take a key that overrides a merged one (<<) for one.
func duplicatesOfYAML(text []byte) []problem {
	var root yaml.Node
	if yaml.Unmarshal(text, &root) != nil {
		return nil
	}
	return duplicatesIn(&root, "")
}

func duplicatesIn(node *yaml.Node, path string) (found []problem) {
	switch node.Kind {
	case yaml.DocumentNode:
		for _, child := range node.Content {
			found = append(found, duplicatesIn(child, path)...)
		}
	case yaml.SequenceNode:
		for i, child := range node.Content {
			found = append(found, duplicatesIn(child, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case yaml.MappingNode:
		seen := map[string]bool{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i].Value
			at := key
			if path != "" {
				at = path + "." + key
			}
			if seen[key] && key != "<<" {
				found = append(found, problem{at, "duplicate key"})
			}
			seen[key] = true
			found = append(found, duplicatesIn(node.Content[i+1], at)...)
		}
	}
	return found
}
