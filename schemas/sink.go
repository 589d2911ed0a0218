package schemas

// jsonSink writes nodes as JSON while they come.
type jsonSink struct {
	jsonWriter
	source *Tree // whose annotations are those of the node that comes
	frames []jsonFrame
	whole  bool // something came that JSON can only hold with what was written before
}

// jsonFrame is an object that is not closed.
type jsonFrame struct {
	it    *item
	depth int
	any   bool  // it has members
	list  *Node // the array in it that is not closed
}

func (w *jsonSink) failed() error {
	if w.whole {
		return errWhole
	}
	return w.err
}

// lead writes what is before a value, and returns its depth.
func (w *jsonSink) lead(it *item) int {
	f := &w.frames[len(w.frames)-1]
	n := it.schema
	entry := n.kind == KindList || n.kind == KindLeafList
	if entry && f.list == n {
		w.byte(',')
		w.newline(f.depth + 2)
		return f.depth + 2
	}
	w.endArray(f)
	if f.any {
		w.byte(',')
	}
	f.any = true
	w.newline(f.depth + 1)
	w.member(f.it, n, "")
	if !entry {
		return f.depth + 1
	}
	f.list = n
	w.byte('[')
	w.newline(f.depth + 2)
	return f.depth + 2
}

func (w *jsonSink) endArray(f *jsonFrame) {
	if f.list != nil {
		w.newline(f.depth + 1)
		w.byte(']')
		f.list = nil
	}
}

func (w *jsonSink) put(k *item) {
	w.meta = w.source.meta
	// The annotations of a leaf-list are one array behind it.
	w.whole = w.whole || k.schema.kind == KindLeafList && w.meta[k] != nil || hasXMLOnly(k)
	depth := w.lead(k)
	w.item(k, depth)
	if w.meta != nil && k.schema.kind != KindLeafList {
		w.beside(k.parent, group{k.schema, []*item{k}}, depth)
	}
	w.spill()
}

// hasXMLOnly reports whether JSON cannot hold something at or below a node.
func hasXMLOnly(it *item) bool {
	if it.xmlOnly() {
		return true
	}
	for _, g := range it.groups {
		for _, k := range g.items {
			if (!k.schema.leafy()) && hasXMLOnly(k) {
				return true
			}
		}
	}
	return false
}

func (w *jsonSink) open(k *item) {
	f := jsonFrame{it: k, depth: w.lead(k)}
	w.byte('{')
	if meta := w.source.meta[k]; meta != nil {
		f.any = true
		w.newline(f.depth + 1)
		w.name("@")
		w.annotations(meta)
	}
	w.frames = append(w.frames, f)
}

func (w *jsonSink) close() {
	f := &w.frames[len(w.frames)-1]
	w.endArray(f)
	if f.any {
		w.newline(f.depth)
	}
	w.byte('}')
	w.frames = w.frames[:len(w.frames)-1]
}

func (w *jsonSink) end() {
	w.close()
	if w.indent != "" {
		w.byte('\n')
	}
}

// xmlSink writes nodes as XML while they come.
type xmlSink struct {
	xmlWriter
	frames []xmlOpen
}

// xmlOpen is an element that is not closed.
type xmlOpen struct {
	name string
	any  bool // it has elements in it, and its start tag ends
}

func (w *xmlSink) failed() error {
	if len(w.errs) > 0 {
		return errWhole
	}
	return w.err
}

func (w *xmlSink) lead() int {
	n := len(w.frames)
	if n > 0 && !w.frames[n-1].any {
		w.frames[n-1].any = true
		w.byte('>')
	}
	return n
}

func (w *xmlSink) put(k *item) { w.element(k, w.lead()) }

func (w *xmlSink) open(k *item) {
	depth := w.lead()
	if w.begun {
		w.newline(depth)
	}
	w.begun = true
	w.tag(k)
	w.frames = append(w.frames, xmlOpen{name: k.schema.name})
}

func (w *xmlSink) close() {
	n := len(w.frames) - 1
	f := w.frames[n]
	w.frames = w.frames[:n]
	if !f.any {
		w.str("/>")
		return
	}
	w.newline(n)
	w.str("</" + f.name + ">")
}
