// How tests write packets: as text in which `|` is a NUL and `#n#` a number of four octets.

import MailModel
import MilterProtocol

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// `y550 no|` is the letter y and its data; `m#1#Subject|x|` has the number 1.
func packet(_ text: String) -> MilterPacket {
    var out: [UInt8] = []
    var number: Int?
    for byte in text.utf8 {
        if let digits = number, byte != UInt8(ascii: "#") {
            number = digits * 10 + Int(byte) - 48
        } else if byte == UInt8(ascii: "#") {
            if let digits = number { out += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: digits >> $0) } }
            number = number == nil ? 0 : nil
        } else {
            out.append(byte == UInt8(ascii: "|") ? 0 : byte)
        }
    }
    return MilterPacket(out[0], Array(out.dropFirst()))
}

func wire(_ texts: String...) -> [UInt8] { wire(texts) }

func wire(_ texts: [String]) -> [UInt8] {
    var out: [UInt8] = []
    for text in texts { packet(text).append(to: &out) }
    return out
}

/// A packet as the text above; a number cannot be told from text and shows as its octets.
func shown(_ packet: MilterPacket) -> String {
    ([packet.command] + packet.data).map { byte in
        switch byte {
        case 0: "|"
        case 10: "\\n"
        case 13: "\\r"
        case 0x20..<0x7F: String(UnicodeScalar(byte))
        default: "\\\(byte)"
        }
    }.joined()
}

func packets(_ bytes: [UInt8]) -> [MilterPacket] {
    var framer = PacketFramer(limit: 1 << 24)
    framer.append(bytes)
    var found: [MilterPacket] = []
    while case .packet(let packet)? = framer.next() { found.append(packet) }
    return found
}

func address(_ text: String) -> EmailAddress {
    guard let address = EmailAddress(text) else { fatalError("no address: \(text)") }
    return address
}
