// What a milter may change at the end of a message. Each is checked here, once: what stands in a value can be applied.

package import MailModel

/// One action on a message or its envelope.
package enum MilterModification: Sendable, Hashable {
    case addRecipient(EmailAddress, parameters: [[UInt8]])
    case deleteRecipient(EmailAddress)
    case changeSender(ReversePath, parameters: [[UInt8]])
    /// At the end of the header.
    case addHeader(MilterField)
    /// 0 is the top.
    case insertHeader(at: Int, MilterField)
    /// The `index`th field of the name, from 1; beyond the last it adds one.
    case changeHeader(index: Int, MilterField)
    case deleteHeader(index: Int, name: [UInt8])
    /// A piece of the new body; all pieces together replace the old one.
    case replaceBody([UInt8])
    case quarantine(reason: [UInt8])

    /// What must have been negotiated for the command; nil if it modifies nothing.
    static func action(of command: UInt8) -> MilterActions? {
        switch command {
        case UInt8(ascii: "+"): .addRecipients
        case UInt8(ascii: "2"): .addRecipientsWithParameters
        case UInt8(ascii: "-"): .deleteRecipients
        case UInt8(ascii: "e"): .changeSender
        case UInt8(ascii: "h"), UInt8(ascii: "i"): .addHeaders
        case UInt8(ascii: "m"): .changeHeaders
        case UInt8(ascii: "b"): .changeBody
        case UInt8(ascii: "q"): .quarantine
        default: nil
        }
    }

    /// nil for a packet that is no modification, or not a well-formed one.
    init?(parsing packet: MilterPacket, leadingSpace: Bool) {
        var reader = PacketReader(packet.data)
        switch packet.command {
        case UInt8(ascii: "+"), UInt8(ascii: "2"):
            guard let (path, parameters) = MilterModification.path(&reader, limit: packet.command == UInt8(ascii: "+") ? 1 : 20),
                case .address(let address) = path
            else { return nil }
            self = .addRecipient(address, parameters: parameters)
        case UInt8(ascii: "-"):
            guard case (.address(let address), _)? = MilterModification.path(&reader, limit: 1) else { return nil }
            self = .deleteRecipient(address)
        case UInt8(ascii: "e"):
            guard let (path, parameters) = MilterModification.path(&reader, limit: 20) else { return nil }
            self = .changeSender(path, parameters: parameters)
        case UInt8(ascii: "b"):
            self = .replaceBody(packet.data)
        case UInt8(ascii: "q"):
            guard let reason = reader.string(), reader.isAtEnd else { return nil }
            self = .quarantine(reason: reason.prefix(400).map { $0 >= 0x20 && $0 != 0x7F ? $0 : UInt8(ascii: "?") })
        default:
            self.init(header: packet.command, &reader, leadingSpace)
        }
    }

    private init?(header command: UInt8, _ reader: inout PacketReader, _ leadingSpace: Bool) {
        var index = 0
        if command != UInt8(ascii: "h") {
            guard let number = reader.number(), number <= UInt32(Int32.max) else { return nil }
            index = Int(number)
        }
        guard let name = reader.string(), let text = reader.string(), reader.isAtEnd else { return nil }
        if command == UInt8(ascii: "m"), text.isEmpty {
            guard MilterField.isName(name) else { return nil }
            self = .deleteHeader(index: index, name: Array(name))
            return
        }
        guard let field = MilterField(name: name, given: text, leadingSpace: leadingSpace) else { return nil }
        switch command {
        case UInt8(ascii: "h"): self = .addHeader(field)
        case UInt8(ascii: "i"): self = .insertHeader(at: index, field)
        case UInt8(ascii: "m"): self = .changeHeader(index: index, field)
        default: return nil
        }
    }

    /// A path, with or without its brackets, and ESMTP parameters, one text each or divided by spaces.
    private static func path(_ reader: inout PacketReader, limit: Int) -> (ReversePath, [[UInt8]])? {
        guard let texts = reader.strings(limit: limit), var text = texts.first else { return nil }
        if text.first == UInt8(ascii: "<"), text.last == UInt8(ascii: ">"), text.count > 1 { text = text.dropFirst().dropLast() }
        let parameters = texts.dropFirst().flatMap { $0.split(separator: 0x20) }
        guard parameters.allSatisfy({ $0.allSatisfy { $0 > 0x20 && $0 < 0x7F } }) else { return nil }
        if text.isEmpty { return (.null, parameters.map { Array($0) }) }
        return EmailAddress(parsing: text).map { (.address($0), parameters.map { Array($0) }) }
    }

    /// Octets that are held for it, those of a new body apart.
    var size: Int {
        switch self {
        case .addRecipient(let address, let parameters): address.wire.count + parameters.reduce(0) { $0 + $1.count }
        case .deleteRecipient(let address): address.wire.count
        case .changeSender(let path, let parameters): path.wire.count + parameters.reduce(0) { $0 + $1.count }
        case .addHeader(let field), .insertHeader(_, let field), .changeHeader(_, let field): field.name.count + field.value.count
        case .deleteHeader(_, let name): name.count
        case .replaceBody: 0
        case .quarantine(let reason): reason.count
        }
    }
}
