// Package shim reaches into the provider's internal package: Go allows that from below its module path only.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider returns the Docker provider of Terraform.
func NewProvider() *schema.Provider { return provider.New("janua")() }
