package session

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"
)

// Telnet commands and options (RFC 854, RFC 855, and the registry of options).
const (
	telnetSE   = 240
	telnetSB   = 250
	telnetWill = 251
	telnetWont = 252
	telnetDo   = 253
	telnetDont = 254
	telnetIAC  = 255

	optionEcho = 1  // RFC 857
	optionSGA  = 3  // RFC 858, suppress go ahead
	optionType = 24 // RFC 1091, terminal type
	optionNAWS = 31 // RFC 1073, window size
)

const (
	telnetTalkMost = 1024 // commands of one connection before it counts as an attack
	telnetSubMost  = 512  // bytes of a subnegotiation; RFC 1091 names have 40
	telnetColumns  = 511  // IOS takes no wider terminal
	telnetRows     = 1000
	plainWriteTime = 15 * time.Second
)

var (
	errTelnetTalk = errors.New("the device negotiates Telnet options without end")
	errTelnetSub  = errors.New("the device sends a Telnet subnegotiation without end")
)

// plainWire is the byte stream of Telnet and console. With negotiate it takes
// the Telnet commands out of what comes, answers them, and escapes what goes:
// it lets the device echo and suppress go-ahead, tells terminal type and
// window size when asked, and refuses the rest, each at most once (RFC 855).
// Without, bytes pass as they are.
type plainWire struct {
	net.Conn
	negotiate bool

	// Of the reader alone.
	state   telnetState
	command byte
	sub     []byte
	talk    int
	him, us [256]telnetOption

	mu sync.Mutex // one write at a time
}

type telnetState uint8

const (
	telnetData telnetState = iota
	telnetCommand
	telnetNegotiate // WILL, WONT, DO, DONT: the option is to come
	telnetInSub
	telnetInSubIAC
)

// telnetOption is what was last said of an option, so that nothing is said
// twice (RFC 854: no answer to a request for the mode that is already on).
type telnetOption uint8

const (
	telnetUnsaid telnetOption = iota
	telnetOn
	telnetOff
)

// Read returns text only. It may return 0 bytes and no error.
func (w *plainWire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if !w.negotiate {
		return n, err
	}
	text, reply, bad := w.decode(p[:n])
	if bad != nil {
		return text, bad
	}
	if len(reply) > 0 {
		if _, werr := w.send(reply); werr != nil && err == nil {
			err = werr
		}
	}
	return text, err
}

// decode moves the text in p to its beginning and returns how much it is, and
// the answer to the commands. Commands may be cut anywhere between two calls.
func (w *plainWire) decode(p []byte) (text int, reply []byte, err error) {
	for _, b := range p {
		switch w.state {
		case telnetData:
			if b == telnetIAC {
				w.state = telnetCommand
				continue
			}
			p[text] = b
			text++
		case telnetCommand:
			switch b {
			case telnetIAC:
				w.state = telnetData
				p[text] = b
				text++
				continue
			case telnetWill, telnetWont, telnetDo, telnetDont:
				w.state, w.command = telnetNegotiate, b
			case telnetSB:
				w.state, w.sub = telnetInSub, w.sub[:0]
			default: // NOP, data mark, go ahead and the like carry nothing for us
				w.state = telnetData
			}
			if w.talk++; w.talk > telnetTalkMost {
				return text, nil, errTelnetTalk
			}
		case telnetNegotiate:
			w.state = telnetData
			reply = w.answer(reply, w.command, b)
		case telnetInSub:
			if b == telnetIAC {
				w.state = telnetInSubIAC
			} else if w.sub = append(w.sub, b); len(w.sub) > telnetSubMost {
				return text, nil, errTelnetSub
			}
		case telnetInSubIAC:
			switch b {
			case telnetSE:
				w.state = telnetData
				reply = w.answerSub(reply)
			case telnetIAC:
				w.state = telnetInSub
				if w.sub = append(w.sub, b); len(w.sub) > telnetSubMost {
					return text, nil, errTelnetSub
				}
			default: // not closed in order
				w.state = telnetData
			}
		}
	}
	return text, reply, nil
}

// answer agrees to what a terminal needs and refuses the rest.
func (w *plainWire) answer(reply []byte, command, option byte) []byte {
	said, yes, no := &w.him[option], byte(telnetDo), byte(telnetDont)
	wanted := option == optionEcho || option == optionSGA
	if command == telnetDo || command == telnetDont {
		said, yes, no = &w.us[option], telnetWill, telnetWont
		wanted = option == optionSGA || option == optionType || option == optionNAWS
	}
	on := command == telnetWill || command == telnetDo
	switch {
	case on && wanted && *said != telnetOn:
		*said = telnetOn
		reply = append(reply, telnetIAC, yes, option)
		if option == optionNAWS {
			reply = appendSub(reply, optionNAWS, binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, telnetColumns), telnetRows))
		}
	case on && !wanted && *said != telnetOff, !on && *said == telnetOn:
		*said = telnetOff
		reply = append(reply, telnetIAC, no, option)
	}
	return reply
}

// answerSub tells the terminal's type when asked (RFC 1091: SEND is 1, IS is 0).
func (w *plainWire) answerSub(reply []byte) []byte {
	if len(w.sub) == 2 && w.sub[0] == optionType && w.sub[1] == 1 && w.us[optionType] == telnetOn {
		return appendSub(reply, optionType, append([]byte{0}, "VT100"...))
	}
	return reply
}

func appendSub(to []byte, option byte, value []byte) []byte {
	to = append(to, telnetIAC, telnetSB, option)
	for _, b := range value {
		if b == telnetIAC {
			to = append(to, telnetIAC)
		}
		to = append(to, b)
	}
	return append(to, telnetIAC, telnetSE)
}

// Write sends text.
func (w *plainWire) Write(p []byte) (int, error) {
	if !w.negotiate {
		return w.send(p)
	}
	if _, err := w.send(escapeTelnet(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// escapeTelnet doubles IAC and sends the Enter key as CR NUL, which RFC 854
// prescribes for a carriage return that is no end of line: some devices take
// CR LF for two Enters.
func escapeTelnet(p []byte) []byte {
	out := make([]byte, 0, len(p)+8)
	for i, b := range p {
		out = append(out, b)
		switch {
		case b == telnetIAC:
			out = append(out, telnetIAC)
		case b == '\r' && (i+1 == len(p) || p[i+1] != '\n'):
			out = append(out, 0)
		}
	}
	return out
}

func (w *plainWire) send(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Over a jump host there are no deadlines; its keep-alive ends the wait.
	_ = w.Conn.SetWriteDeadline(time.Now().Add(plainWriteTime))
	return w.Conn.Write(p)
}
