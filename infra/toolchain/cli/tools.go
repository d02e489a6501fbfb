//go:build tools

// Package tools keeps Pulumi's CLI, a command of another module, in this module's requirements.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
