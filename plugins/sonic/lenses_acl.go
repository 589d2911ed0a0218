package sonic

import "github.com/cfgvault/cfgvault/plugins/lens"

// aclRows: a rule is known by its table and priority, of which the highest
// counts first, and keeps everything else in SONiC's words. So does a class or
// policy of traffic (Enterprise SONiC's flow-based services): a section of a
// policy is a rule of it.
func aclRows() []lens.Row {
	const (
		fw     = "cfgvault-firewall:firewall/"
		rule   = fw + "rule[dialect=sonic][table=$t][id=$p]"
		object = fw + "object[dialect=sonic]"
	)
	rows := []lens.Row{
		{Text: "ACL_RULE $t $n", Attrs: "PRIORITY=$p:1..4294967295 { PACKET_ACTION=$a:value } *=$rest", Set: at(rule, "chain=acl", "name=$n", "action=$a", "condition*=$rest")},
		{Text: "POLICY_SECTIONS_TABLE $t $n", Attrs: "PRIORITY=$p:1..4294967295 *=$rest", Set: at(rule, "chain=policy", "name=$n", "condition*=$rest")},
		{Text: "ACL_TABLE $n", Attrs: "{ policy_desc=$d:value } *=$rest", Set: at(object+"[kind=acl][name=$n]", "description=$d", "setting*=$rest")},
		{Text: "POLICY_BINDING_TABLE $n", Attrs: "*=$rest", Set: at(object+"[kind=binding][name=$n]", "setting*=$rest")},
	}
	for _, t := range []struct{ table, kind string }{{"CLASSIFIER_TABLE", "class"}, {"POLICY_TABLE", "policy"}} {
		rows = append(rows, lens.Row{Text: t.table + " $n", Attrs: "{ DESCRIPTION=$d:value } *=$rest", Set: at(object+"[kind="+t.kind+"][name=$n]", "description=$d", "setting*=$rest")})
	}
	return rows
}
