// Package schemas compiles YANG modules (RFC 7950, versions 1 and 1.1) and
// works on data valid against them: it reads and writes RFC 7951 JSON and RFC 7950
// XML with annotations (RFC 7952), default modes (RFC 6243) and instance-data
// envelopes (RFC 9195), validates it, writes it in a canonical form in which the
// same configuration gives the same bytes, compares trees, patches (RFC 8072) and
// merges them, takes parts of them and hides secrets. Data is a tree in memory;
// only Convert passes it on while it reads. Sets of modules are
// described by YANG libraries (RFC 8525) and kept, compiled, in a cache.
//
// Modules are compiled from their statements: submodules, imports by revision,
// typedefs, groupings with refine and augment, augments, deviations, features,
// identities, choices, rpcs, actions and notifications (compiled, not
// instantiated), structures (RFC 8791) and yang-data (RFC 8040), each of which
// is a tree of its own. What the RFC forbids is refused with file, line and rule. A
// module that is hostile cannot exhaust the process: depth, size and expansion
// are bounded and cycles are refused.
//
// The package knows YANG, not vendors. It deliberately does not look for
// modules anywhere but in the sources it is given, does not log, and does not
// read YIN. No feature of RFC 7950 that concerns configuration is missing. Of
// the rest: rpcs, actions and notifications have no instances; of modules that
// are only imported the data definitions are checked for their grammar; statements
// of extensions that are not known here (those of cfgvault-extensions, RFC 7952,
// RFC 8791 and RFC 8040 are) are checked for their names, arguments and grammar
// and otherwise left alone, which §6.3.1 allows. testdata/rfc7950 has a case for
// each rule.
package schemas
