package routeros

// Factory is the configuration of a unit that has none of its own.
const Factory = `/interface ethernet
set [ find default-name=ether1 ] comment=defconf
/ip address
add address=192.168.88.1/24 comment=defconf interface=ether2 network=192.168.88.0
/system identity
set name=MikroTik
`

// Sample is a small office: a bridge with VLANs, an uplink, a firewall.
const Sample = `/interface bridge
add comment=office name=bridge1 vlan-filtering=yes
/interface ethernet
set [ find default-name=ether1 ] comment="to the provider" name=wan
set [ find default-name=ether2 ] mtu=1500
/interface vlan
add interface=bridge1 name=mgmt vlan-id=10
add interface=bridge1 name=guests vlan-id=30
/interface list
add name=LAN
/interface bridge port
add bridge=bridge1 interface=ether2 pvid=30
add bridge=bridge1 interface=ether3
/interface bridge vlan
add bridge=bridge1 tagged=bridge1,ether3 vlan-ids=10
add bridge=bridge1 tagged=bridge1,ether3 vlan-ids=30
/interface list member
add interface=mgmt list=LAN
/ip address
add address=192.168.10.1/24 interface=mgmt network=192.168.10.0
add address=192.168.30.1/24 interface=guests network=192.168.30.0
/ip dhcp-client
add interface=wan
/ip dns
set servers=192.0.2.53,192.0.2.54
/ip firewall filter
add action=accept chain=input comment="established first" connection-state=established,related
add action=drop chain=input in-interface=wan
/ip firewall nat
add action=masquerade chain=srcnat out-interface=wan
/ip route
add distance=5 dst-address=10.20.0.0/16 gateway=192.168.10.254
/ppp secret
add name=branch password="canary \"quoted\" secret" service=l2tp
/snmp community
add addresses=192.0.2.0/24 name=canary-community
/system identity
set name=office1
`
