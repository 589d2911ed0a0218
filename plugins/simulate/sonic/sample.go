package sonic

// Factory is config_db.json of a switch as config-setup makes it.
const Factory = `{
    "CRM": {
        "Config": {
            "ipv4_route_high_threshold": "85",
            "ipv4_route_low_threshold": "70",
            "ipv4_route_threshold_type": "percentage",
            "polling_interval": "300"
        }
    },
    "DEVICE_METADATA": {
        "localhost": {
            "hostname": "sonic",
            "hwsku": "Force10-S6000",
            "mac": "02:00:00:00:20:00",
            "platform": "x86_64-dell_s6000_s1220-r0",
            "type": "LeafRouter"
        }
    },
    "PORT": {
        "Ethernet0": {
            "admin_status": "down",
            "alias": "Eth1/1",
            "fec": "none",
            "index": "1",
            "lanes": "1,2,3,4",
            "mtu": "9100",
            "speed": "40000"
        },
        "Ethernet12": {
            "admin_status": "down",
            "alias": "Eth1/4",
            "fec": "none",
            "index": "4",
            "lanes": "13,14,15,16",
            "mtu": "9100",
            "speed": "40000"
        },
        "Ethernet4": {
            "admin_status": "down",
            "alias": "Eth1/2",
            "fec": "none",
            "index": "2",
            "lanes": "5,6,7,8",
            "mtu": "9100",
            "speed": "40000"
        },
        "Ethernet8": {
            "admin_status": "down",
            "alias": "Eth1/3",
            "fec": "none",
            "index": "3",
            "lanes": "9,10,11,12",
            "mtu": "9100",
            "speed": "40000"
        }
    },
    "VERSIONS": {
        "DATABASE": {
            "VERSION": "version_4_0_3"
        }
    }
}
`

// Sample is a leaf switch.
const Sample = `{
    "CRM": {
        "Config": {
            "ipv4_route_high_threshold": "85",
            "ipv4_route_low_threshold": "70",
            "ipv4_route_threshold_type": "percentage",
            "polling_interval": "300"
        }
    },
    "DEVICE_METADATA": {
        "localhost": {
            "bgp_asn": "65007",
            "docker_routing_config_mode": "split",
            "hostname": "leaf7",
            "hwsku": "Force10-S6000",
            "mac": "02:00:00:00:20:00",
            "platform": "x86_64-dell_s6000_s1220-r0",
            "timezone": "Europe/Berlin",
            "type": "LeafRouter"
        }
    },
    "DNS_NAMESERVER": {
        "192.0.2.53": {}
    },
    "INTERFACE": {
        "Ethernet0": {},
        "Ethernet0|192.0.2.1/31": {},
        "Ethernet0|2001:db8::1/127": {}
    },
    "LOOPBACK_INTERFACE": {
        "Loopback0": {},
        "Loopback0|198.51.100.7/32": {}
    },
    "MGMT_INTERFACE": {
        "eth0|10.0.0.7/24": {
            "gwaddr": "10.0.0.1"
        }
    },
    "MGMT_PORT": {
        "eth0": {
            "admin_status": "up",
            "alias": "eth0"
        }
    },
    "NTP_SERVER": {
        "192.0.2.123": {}
    },
    "PORT": {
        "Ethernet0": {
            "admin_status": "up",
            "alias": "Eth1/1",
            "description": "to spine1",
            "fec": "none",
            "index": "1",
            "lanes": "1,2,3,4",
            "mtu": "9100",
            "speed": "40000"
        },
        "Ethernet12": {
            "admin_status": "down",
            "alias": "Eth1/4",
            "fec": "none",
            "index": "4",
            "lanes": "13,14,15,16",
            "mtu": "9100",
            "speed": "40000"
        },
        "Ethernet4": {
            "admin_status": "up",
            "alias": "Eth1/2",
            "fec": "none",
            "index": "2",
            "lanes": "5,6,7,8",
            "mtu": "9100",
            "speed": "40000"
        },
        "Ethernet8": {
            "admin_status": "up",
            "alias": "Eth1/3",
            "fec": "none",
            "index": "3",
            "lanes": "9,10,11,12",
            "mtu": "9100",
            "speed": "40000"
        }
    },
    "PORTCHANNEL": {
        "PortChannel1": {
            "admin_status": "up",
            "min_links": "1",
            "mtu": "9100"
        }
    },
    "PORTCHANNEL_MEMBER": {
        "PortChannel1|Ethernet8": {}
    },
    "SNMP_COMMUNITY": {
        "canary-community": {
            "TYPE": "RO"
        }
    },
    "STATIC_ROUTE": {
        "default|10.20.0.0/16": {
            "distance": "5",
            "nexthop": "192.0.2.0"
        }
    },
    "SYSLOG_SERVER": {
        "192.0.2.14": {
            "port": "1514"
        }
    },
    "VERSIONS": {
        "DATABASE": {
            "VERSION": "version_4_0_3"
        }
    },
    "VLAN": {
        "Vlan100": {
            "admin_status": "up",
            "dhcp_servers": [
                "192.0.2.67"
            ],
            "vlanid": "100"
        },
        "Vlan200": {
            "vlanid": "200"
        }
    },
    "VLAN_INTERFACE": {
        "Vlan100": {},
        "Vlan100|10.100.0.1/24": {}
    },
    "VLAN_MEMBER": {
        "Vlan100|Ethernet4": {
            "tagging_mode": "untagged"
        },
        "Vlan200|PortChannel1": {
            "tagging_mode": "tagged"
        }
    }
}
`
