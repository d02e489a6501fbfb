//go:build tools

// Package tools keeps Pulumi's Python language host in this module's requirements: the last version of the SDK
// module that still contains it, which newer engines drive as well.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
