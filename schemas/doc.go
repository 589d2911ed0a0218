// Package schemas compiles YANG modules (RFC 7950, versions 1 and 1.1) and
// works on data valid against them: it reads and writes RFC 7951 JSON and RFC 7950
// XML with annotations (RFC 7952), default modes (RFC 6243) and instance-data
// envelopes (RFC 9195), validates it, writes it in a canonical form in which the
// same configuration gives the same bytes, compares two trees and hides secrets.
//
// Modules are compiled from their statements: submodules, imports by revision,
// typedefs, groupings with refine and augment, augments, deviations, features,
// identities, choices, rpcs, actions and notifications (compiled, not
// instantiated). What the RFC forbids is refused with file, line and rule. A
// module that is hostile cannot exhaust the process: depth, size and expansion
// are bounded and cycles are refused.
//
// The package knows YANG, not vendors. It deliberately does not look for
// modules anywhere but in the sources it is given, does not log, and does not
// read YIN. Not done yet: the statements of extensions other than cfgvault-extensions are
// checked to exist and otherwise left alone, which RFC 7950 §6.3.1 allows, so
// that structures (RFC 8791) and yang-data have no instances; deprecated and
// obsolete definitions are treated as current ones.
package schemas
