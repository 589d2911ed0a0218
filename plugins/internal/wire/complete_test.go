package wire

import (
	"reflect"
	"strconv"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

// fill sets every field of a value to something that is not its zero value.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("v" + strconv.Itoa(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(int64(*n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	}
}

// A field that is added to the contract and forgotten here would be lost
// between driver and agent without a word.
func TestNoFieldIsLost(t *testing.T) {
	n := 0
	var info plugins.Info
	fill(reflect.ValueOf(&info).Elem(), &n)
	if got := infoFromWire(infoToWire(info)); !reflect.DeepEqual(got, info) {
		t.Errorf("info:\n got %+v\nwant %+v", got, info)
	}
	var facts plugins.Facts
	fill(reflect.ValueOf(&facts).Elem(), &n)
	if got := factsFromWire(factsToWire(facts)); !reflect.DeepEqual(got, facts) {
		t.Errorf("facts:\n got %+v\nwant %+v", got, facts)
	}
	var loss plugins.Loss
	fill(reflect.ValueOf(&loss).Elem(), &n)
	if got := lossFromWire(lossToWire(loss)); !reflect.DeepEqual(got, loss) {
		t.Errorf("loss:\n got %+v\nwant %+v", got, loss)
	}
}
