package schemas

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sync"
	"unsafe"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// A compiled set is written and read field by field, whatever fields its types
// have: nobody has to keep a second list of them up to date. What only the
// compiler needs (statements and the tables of definitions) is left out; a set
// that was read validates, reads and writes like any other, and only cannot
// draw the groupings of its modules.

// errCodec says that the bytes are not a set. Why does not matter: it is
// compiled again.
var errCodec = errors.New("not a compiled set")

// setCodec knows how to write and read each type. It is made for one use.
type setCodec struct {
	types map[reflect.Type]*typeCodec
	expr  reflect.Type
	pat   reflect.Type
	omit  []reflect.Type
}

type typeCodec struct {
	enc  func(e *setEncoder, p unsafe.Pointer)
	dec  func(d *setDecoder, p unsafe.Pointer)
	zero func(p unsafe.Pointer) bool
}

func newSetCodec() *setCodec {
	return &setCodec{
		types: make(map[reflect.Type]*typeCodec),
		expr:  reflect.TypeFor[*xpath.Expr](),
		pat:   reflect.TypeFor[*pattern](),
		omit: []reflect.Type{
			reflect.TypeFor[*statement](), reflect.TypeFor[*source](), reflect.TypeFor[[]*source](), reflect.TypeFor[map[string]*statement](),
			reflect.TypeFor[map[string]*feature](), reflect.TypeFor[[]attached](), reflect.TypeFor[*leafPath](),
		},
	}
}

type setEncoder struct {
	b       []byte
	strings map[string]uint64
	ids     map[unsafe.Pointer]uint64
}

func (e *setEncoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }

func (e *setEncoder) string(s string) {
	if id, ok := e.strings[s]; ok {
		e.uint(id)
		return
	}
	id := uint64(len(e.strings))
	e.strings[s] = id
	e.uint(id)
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

type setDecoder struct {
	in      string
	at      int
	strings []string
	ptrs    []decoded
}

type decoded struct {
	p unsafe.Pointer
	t reflect.Type
}

// fail leaves the decoder; decodeSet takes it back.
func (d *setDecoder) fail() { panic(errCodec) }

func (d *setDecoder) uint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		if d.at >= len(d.in) {
			d.fail()
		}
		c := d.in[d.at]
		d.at++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	d.fail()
	return 0
}

// count is a number of things that take a byte each at least.
func (d *setDecoder) count() int {
	n := d.uint()
	if n > uint64(len(d.in)-d.at) {
		d.fail()
	}
	return int(n)
}

func (d *setDecoder) string() string {
	id := d.uint()
	if id < uint64(len(d.strings)) {
		return d.strings[id]
	}
	if id > uint64(len(d.strings)) {
		d.fail()
	}
	n := d.count()
	s := d.in[d.at : d.at+n]
	d.at += n
	d.strings = append(d.strings, s)
	return s
}

// of returns the codec of a type.
func (c *setCodec) of(t reflect.Type) *typeCodec {
	if k := c.types[t]; k != nil {
		return k
	}
	k := &typeCodec{}
	c.types[t] = k
	switch {
	case t == c.expr:
		c.exprCodec(k)
	case t == c.pat:
		c.patternCodec(k)
	case t.Kind() == reflect.Pointer:
		c.pointer(k, t)
	case t.Kind() == reflect.Struct:
		c.structure(k, t)
	case t.Kind() == reflect.Slice:
		c.slice(k, t)
	case t.Kind() == reflect.Map:
		c.table(k, t)
	case t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8:
		n := t.Len()
		k.zero = func(unsafe.Pointer) bool { return false }
		k.enc = func(e *setEncoder, p unsafe.Pointer) { e.b = append(e.b, unsafe.Slice((*byte)(p), n)...) }
		k.dec = func(d *setDecoder, p unsafe.Pointer) {
			if len(d.in)-d.at < n {
				d.fail()
			}
			copy(unsafe.Slice((*byte)(p), n), d.in[d.at:])
			d.at += n
		}
	default:
		c.scalar(k, t)
	}
	return k
}

func (c *setCodec) scalar(k *typeCodec, t reflect.Type) {
	at := func(p unsafe.Pointer) reflect.Value { return reflect.NewAt(t, p).Elem() }
	switch t.Kind() {
	case reflect.Bool:
		k.zero = func(p unsafe.Pointer) bool { return !*(*bool)(p) }
		k.enc = func(e *setEncoder, p unsafe.Pointer) {
			if *(*bool)(p) {
				e.uint(1)
			} else {
				e.uint(0)
			}
		}
		k.dec = func(d *setDecoder, p unsafe.Pointer) { *(*bool)(p) = d.uint() != 0 }
	case reflect.String:
		k.zero = func(p unsafe.Pointer) bool { return *(*string)(p) == "" }
		k.enc = func(e *setEncoder, p unsafe.Pointer) { e.string(*(*string)(p)) }
		k.dec = func(d *setDecoder, p unsafe.Pointer) { *(*string)(p) = d.string() }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		k.zero = func(p unsafe.Pointer) bool { return at(p).Int() == 0 }
		k.enc = func(e *setEncoder, p unsafe.Pointer) { e.b = binary.AppendVarint(e.b, at(p).Int()) }
		k.dec = func(d *setDecoder, p unsafe.Pointer) {
			u := d.uint()
			setNumber(p, t.Size(), u>>1^-(u&1))
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		k.zero = func(p unsafe.Pointer) bool { return at(p).Uint() == 0 }
		k.enc = func(e *setEncoder, p unsafe.Pointer) { e.uint(at(p).Uint()) }
		k.dec = func(d *setDecoder, p unsafe.Pointer) { setNumber(p, t.Size(), d.uint()) }
	default:
		panic(fmt.Sprintf("schemas: a compiled set has a field of type %v, which the cache does not know", t))
	}
}

// setNumber stores an integer of some size; a negative one is its two's
// complement.
func setNumber(p unsafe.Pointer, size uintptr, v uint64) {
	switch size {
	case 1:
		*(*uint8)(p) = uint8(v)
	case 2:
		*(*uint16)(p) = uint16(v)
	case 4:
		*(*uint32)(p) = uint32(v)
	case 8:
		*(*uint64)(p) = v
	}
}

// pointer writes each object once: a number, and after a new one the object.
// Number 0 is nil.
func (c *setCodec) pointer(k *typeCodec, t reflect.Type) {
	inner := c.of(t.Elem())
	// Objects of one type are made many at once.
	var slab unsafe.Pointer
	left, next := 0, 4
	size := t.Elem().Size()
	k.zero = func(p unsafe.Pointer) bool { return *(*unsafe.Pointer)(p) == nil }
	k.enc = func(e *setEncoder, p unsafe.Pointer) {
		q := *(*unsafe.Pointer)(p)
		if q == nil {
			e.uint(0)
			return
		}
		if id, ok := e.ids[q]; ok {
			e.uint(id)
			return
		}
		id := uint64(len(e.ids) + 1)
		e.ids[q] = id
		e.uint(id)
		inner.enc(e, q)
	}
	k.dec = func(d *setDecoder, p unsafe.Pointer) {
		id := d.uint()
		n := uint64(len(d.ptrs))
		switch {
		case id == 0:
		case id <= n:
			if d.ptrs[id-1].t != t {
				d.fail()
			}
			*(*unsafe.Pointer)(p) = d.ptrs[id-1].p
		case id == n+1:
			if left == 0 {
				next = min(2*next, 128)
				slab, left = reflect.MakeSlice(reflect.SliceOf(t.Elem()), next, next).UnsafePointer(), next
			}
			q := slab
			if left--; left > 0 {
				slab = unsafe.Add(slab, size)
			}
			d.ptrs = append(d.ptrs, decoded{q, t})
			*(*unsafe.Pointer)(p) = q
			inner.dec(d, q)
		default:
			d.fail()
		}
	}
}

// structure writes which fields are not zero, and those.
func (c *setCodec) structure(k *typeCodec, t reflect.Type) {
	type field struct {
		offset uintptr
		codec  *typeCodec
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if !slices.Contains(c.omit, f.Type) && f.Tag.Get("cache") != "-" {
			fields = append(fields, field{f.Offset, c.of(f.Type)})
		}
	}
	if len(fields) > 64 {
		panic(fmt.Sprintf("schemas: %v has more than 64 fields", t))
	}
	k.zero = func(p unsafe.Pointer) bool {
		for _, f := range fields {
			if !f.codec.zero(unsafe.Add(p, f.offset)) {
				return false
			}
		}
		return true
	}
	k.enc = func(e *setEncoder, p unsafe.Pointer) {
		var mask uint64
		for i, f := range fields {
			if !f.codec.zero(unsafe.Add(p, f.offset)) {
				mask |= 1 << i
			}
		}
		e.uint(mask)
		for i, f := range fields {
			if mask&(1<<i) != 0 {
				f.codec.enc(e, unsafe.Add(p, f.offset))
			}
		}
	}
	k.dec = func(d *setDecoder, p unsafe.Pointer) {
		mask := d.uint()
		for i, f := range fields {
			if mask&(1<<i) != 0 {
				f.codec.dec(d, unsafe.Add(p, f.offset))
			}
		}
	}
}

// sliceHeader is a slice of any type.
type sliceHeader struct {
	data     unsafe.Pointer
	len, cap int
}

func (c *setCodec) slice(k *typeCodec, t reflect.Type) {
	inner := c.of(t.Elem())
	size := t.Elem().Size()
	// Short slices of one type share an array.
	const shared = 64
	var spare unsafe.Pointer
	left := 0
	k.zero = func(p unsafe.Pointer) bool { return reflect.NewAt(t, p).Elem().IsNil() }
	k.enc = func(e *setEncoder, p unsafe.Pointer) {
		v := reflect.NewAt(t, p).Elem()
		e.uint(uint64(v.Len()))
		for i := range v.Len() {
			inner.enc(e, v.Index(i).Addr().UnsafePointer())
		}
	}
	k.dec = func(d *setDecoder, p unsafe.Pointer) {
		n := d.count()
		var base unsafe.Pointer
		if n == 0 || n > shared/4 {
			base = reflect.MakeSlice(t, n, n).UnsafePointer()
		} else {
			if left < n {
				spare, left = reflect.MakeSlice(t, shared, shared).UnsafePointer(), shared
			}
			base = spare
			if left -= n; left > 0 {
				spare = unsafe.Add(spare, uintptr(n)*size)
			}
		}
		*(*sliceHeader)(p) = sliceHeader{base, n, n}
		for i := range n {
			inner.dec(d, unsafe.Add(base, uintptr(i)*size))
		}
	}
}

func (c *setCodec) table(k *typeCodec, t reflect.Type) {
	key, val := c.of(t.Key()), c.of(t.Elem())
	nodes := t == reflect.TypeFor[map[name]*Node]()
	k.zero = func(p unsafe.Pointer) bool { return reflect.NewAt(t, p).Elem().IsNil() }
	k.enc = func(e *setEncoder, p unsafe.Pointer) {
		m := reflect.NewAt(t, p).Elem()
		e.uint(uint64(m.Len()))
		for it := m.MapRange(); it.Next(); {
			key.enc(e, addressable(it.Key()))
			val.enc(e, addressable(it.Value()))
		}
	}
	k.dec = func(d *setDecoder, p unsafe.Pointer) {
		n := d.count()
		if nodes { // most of all maps
			m := make(map[name]*Node, n)
			*(*map[name]*Node)(p) = m
			for range n {
				var at name
				var node *Node
				key.dec(d, unsafe.Pointer(&at))
				val.dec(d, unsafe.Pointer(&node))
				m[at] = node
			}
			return
		}
		m := reflect.MakeMapWithSize(t, n)
		reflect.NewAt(t, p).Elem().Set(m)
		for range n {
			kv, vv := reflect.New(t.Key()), reflect.New(t.Elem())
			key.dec(d, kv.UnsafePointer())
			val.dec(d, vv.UnsafePointer())
			m.SetMapIndex(kv.Elem(), vv.Elem())
		}
	}
}

func addressable(v reflect.Value) unsafe.Pointer {
	p := reflect.New(v.Type())
	reflect.NewAt(v.Type(), p.UnsafePointer()).Elem().Set(v)
	return p.UnsafePointer()
}

// prefixesIn finds what may be prefixes in an expression.
func prefixesIn(expr string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_.-]*:`).FindAllString(expr, -1) {
		if p := m[:len(m)-1]; !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// exprCodec writes an expression as its text and what its names are bound to.
func (c *setCodec) exprCodec(k *typeCodec) {
	k.zero = func(p unsafe.Pointer) bool { return *(**xpath.Expr)(p) == nil }
	k.enc = func(e *setEncoder, p unsafe.Pointer) {
		x := *(**xpath.Expr)(p)
		names := x.Names()
		e.string(x.String())
		e.string(names.Default)
		var bound []string
		for _, prefix := range prefixesIn(x.String()) {
			if m, ok := names.Prefix(prefix); ok {
				bound = append(bound, prefix, m)
			}
		}
		e.uint(uint64(len(bound)))
		for _, s := range bound {
			e.string(s)
		}
	}
	k.dec = func(d *setDecoder, p unsafe.Pointer) {
		text, def := d.string(), d.string()
		n := d.count()
		bound := make(map[string]string, n/2)
		for range n / 2 {
			prefix := d.string()
			bound[prefix] = d.string()
		}
		x, err := xpath.Compile(text, xpath.Names{Default: def, Prefix: func(p string) (string, bool) { m, ok := bound[p]; return m, ok }})
		if err != nil {
			d.fail()
		}
		*(**xpath.Expr)(p) = x
	}
}

// patternCodec writes a pattern as its text; it is translated at first use.
func (c *setCodec) patternCodec(k *typeCodec) {
	k.zero = func(p unsafe.Pointer) bool { return *(**pattern)(p) == nil }
	k.enc = func(e *setEncoder, p unsafe.Pointer) {
		x := *(**pattern)(p)
		e.string(x.xsd)
		e.uint(uint64(x.size))
	}
	k.dec = func(d *setDecoder, p unsafe.Pointer) {
		xsd := d.string()
		size := int(min(d.uint(), maxPatternSize*8))
		*(**pattern)(p) = &pattern{xsd: xsd, size: size, lazy: sync.OnceValue(func() *regexp.Regexp {
			x, err := newPattern(xsd)
			if err != nil {
				return regexp.MustCompile(`[^\x00-\x{10FFFF}]`) // it was one when it was written
			}
			return x.re
		})}
	}
}

// layout names all fields of all types: a set that a program with other ones
// has written cannot be read.
func (c *setCodec) layout() string {
	var out []byte
	names := make([]reflect.Type, 0, len(c.types))
	for t := range c.types {
		names = append(names, t)
	}
	slices.SortFunc(names, func(a, b reflect.Type) int { return compareStrings(a.String(), b.String()) })
	for _, t := range names {
		if t.Kind() != reflect.Struct {
			continue
		}
		out = append(out, t.String()...)
		for i := range t.NumField() {
			out = fmt.Appendf(out, " %s %v", t.Field(i).Name, t.Field(i).Type)
		}
	}
	return string(out)
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// encodeSet writes a set.
func (c *setCodec) encodeSet(s *Set) []byte {
	e := &setEncoder{strings: make(map[string]uint64), ids: make(map[unsafe.Pointer]uint64)}
	c.of(reflect.TypeFor[*Set]()).enc(e, unsafe.Pointer(&s))
	// The reader makes its tables of strings and objects as large as they become.
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(e.strings))), uint64(len(e.ids))), e.b...)
}

// decodeSet reads a set. It fails with errCodec for any bytes that are none.
func (c *setCodec) decodeSet(in string) (s *Set, err error) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(errCodec) {
				panic(r)
			}
			s, err = nil, errCodec
		}
	}()
	d := &setDecoder{in: in}
	d.strings, d.ptrs = make([]string, 0, d.count()), make([]decoded, 0, d.count())
	c.of(reflect.TypeFor[*Set]()).dec(d, unsafe.Pointer(&s))
	if s == nil || d.at != len(in) {
		return nil, errCodec
	}
	return s, nil
}
