// The messages of RFC 5802 §7, parsed once for both sides; every length is bounded before it is used.

private let comma = UInt8(ascii: ",")
private let equals = UInt8(ascii: "=")

/// The limit of one decoded SASL message, whatever the mechanism.
let messageLimit = 8192

/// An attribute list `a=value,b=value` (RFC 5802 §5.1); a value has no comma.
struct ScramAttributes {
    private var rest: ArraySlice<UInt8>?

    init(_ message: ArraySlice<UInt8>) { rest = message }

    /// The value of the next attribute, which must be `name`; nil otherwise.
    mutating func take(_ name: Character) -> ArraySlice<UInt8>? {
        guard let text = rest, let letter = name.asciiValue, text.first == letter,
            text.dropFirst().first == equals
        else { return nil }
        let field = text.prefix { $0 != comma }
        rest = field.endIndex == text.endIndex ? nil : text[(field.endIndex + 1)...]
        return field.dropFirst(2)
    }

    /// Nothing is left; optional extensions may be, but none is mandatory (RFC 5802 §5.1 `m=`).
    var isAtEnd: Bool { rest == nil }
}

/// `n,,n=user,r=nonce`, and the parts that are hashed later.
struct ClientFirst {
    /// `n,,` or `y,a=user,`: hashed into the final message.
    let header: [UInt8]
    let bindingType: BindingRequest
    let authorization: [UInt8]
    let name: [UInt8]
    let nonce: [UInt8]
    /// `n=user,r=nonce`
    let bare: [UInt8]

    enum BindingRequest: Equatable {
        case unsupported
        case thoughtUnoffered
        case required([UInt8])
    }

    init?(_ message: [UInt8]) {
        let fields = message.split(separator: comma, maxSplits: 2, omittingEmptySubsequences: false)
        guard message.count <= messageLimit, fields.count == 3, let binding = BindingRequest(fields[0]),
            let authorization = ClientFirst.authorization(fields[1])
        else { return nil }
        var attributes = ScramAttributes(fields[2])
        guard let rawName = attributes.take("n"), let name = unescape(rawName), let nonce = attributes.take("r"),
            attributes.isAtEnd, isNonce(nonce), isCredentialText(name)
        else { return nil }
        self.header = Array(message[..<fields[2].startIndex])
        self.bindingType = binding
        self.authorization = authorization
        self.name = name
        self.nonce = Array(nonce)
        self.bare = Array(fields[2])
    }

    private static func authorization(_ field: ArraySlice<UInt8>) -> [UInt8]? {
        if field.isEmpty { return [] }
        guard field.starts(with: [UInt8(ascii: "a"), equals]) else { return nil }
        return unescape(field.dropFirst(2))
    }
}

extension ClientFirst.BindingRequest {
    fileprivate init?(_ field: ArraySlice<UInt8>) {
        switch field.first {
        case UInt8(ascii: "n") where field.count == 1: self = .unsupported
        case UInt8(ascii: "y") where field.count == 1: self = .thoughtUnoffered
        case UInt8(ascii: "p") where field.dropFirst().first == equals && field.count > 2:
            self = .required(Array(field.dropFirst(2)))
        default: return nil
        }
    }
}

/// `c=biws,r=nonce,p=proof`
struct ClientFinal {
    let binding: [UInt8]
    let nonce: [UInt8]
    let proof: [UInt8]
    let withoutProof: [UInt8]

    init?(_ message: [UInt8]) {
        guard message.count <= messageLimit, let last = message.lastIndex(of: comma) else { return nil }
        var attributes = ScramAttributes(message[..<last])
        var proofAttribute = ScramAttributes(message[(last + 1)...])
        guard let binding = attributes.take("c").flatMap({ Base64.decode($0) }), let nonce = attributes.take("r"),
            let proof = proofAttribute.take("p").flatMap({ Base64.decode($0) }), proof.count == 32
        else { return nil }
        self.binding = binding
        self.nonce = Array(nonce)
        self.proof = proof
        self.withoutProof = Array(message[..<last])
    }
}

/// `r=nonce,s=salt,i=4096`
struct ServerFirst {
    let nonce: [UInt8]
    let salt: [UInt8]
    let iterations: Int

    init?(_ message: [UInt8]) {
        var attributes = ScramAttributes(message[...])
        guard message.count <= messageLimit, let nonce = attributes.take("r"), isNonce(nonce),
            let salt = attributes.take("s").flatMap({ Base64.decode($0) }), !salt.isEmpty,
            let count = attributes.take("i"), count.count <= 9, count.allSatisfy({ (0x30...0x39).contains($0) }),
            let iterations = Int(String(decoding: count, as: UTF8.self))
        else { return nil }
        self.nonce = Array(nonce)
        self.salt = salt
        self.iterations = iterations
    }

    static func text(nonce: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
        Array("r=".utf8) + nonce + Array(",s=".utf8) + Base64.encode(salt) + Array(",i=\(iterations)".utf8)
    }
}

/// `%x21-2B / %x2D-7E` (RFC 5802 §7), bounded.
func isNonce(_ text: some Collection<UInt8>) -> Bool {
    (1...1024).contains(text.count) && text.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != comma }
}

/// `=2C` and `=3D` become `,` and `=`; any other use of `=` is an error (RFC 5802 §5.1).
private func unescape(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var out: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
        guard byte == equals else {
            out.append(byte)
            continue
        }
        if rest.starts(with: "2C".utf8) {
            out.append(comma)
        } else if rest.starts(with: "3D".utf8) {
            out.append(equals)
        } else {
            return nil
        }
        rest = rest.dropFirst(2)
    }
    return out
}

func escape(_ text: [UInt8]) -> [UInt8] {
    text.flatMap { byte -> [UInt8] in
        if byte == comma { return Array("=2C".utf8) }
        return byte == equals ? Array("=3D".utf8) : [byte]
    }
}
