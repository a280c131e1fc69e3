// Package fonts holds the fonts of the screen for what is drawn without a
// browser; see README.md. What is embedded here too is in the program once.
package fonts

import "embed"

// FS has fonts.css, which says which file has which characters, and the files.
//
//go:embed *.woff2 fonts.css
var FS embed.FS
