// What the two processes say to each other, as bytes. Decoding is total: whatever a captured process sends is a value or nil.

/// The number of one connection on the front; given by the front, never reused.
package typealias FrontID = UInt64

/// How a peer begins to authenticate.
package struct AuthenticationStart: Hashable, Sendable {
    /// Where the peer is, as the front says: for events and for throttling, never a reason to believe more.
    package let arrival: Arrival
    package let tls: TLSFacts?
    /// A SASL mechanism's name, or the program's own word for its other ways (`USER`).
    package let mechanism: [UInt8]
    /// nil is no initial response, which is not the empty one (RFC 4422 §5).
    package let initialResponse: [UInt8]?

    package init(arrival: Arrival, tls: TLSFacts?, mechanism: [UInt8], initialResponse: [UInt8]?) {
        self.arrival = arrival
        self.tls = tls
        self.mechanism = mechanism
        self.initialResponse = initialResponse
    }
}

/// What the front says.
enum FrontRequest: Hashable, Sendable {
    case start(FrontID, AuthenticationStart)
    case response(FrontID, [UInt8])
    /// The peer cancelled, or is gone.
    case abandon(FrontID)
    /// With the descriptor: the session is the other side's now. The bytes were read and not used.
    case handOver(FrontID, [UInt8])
    case note(FrontNote)
}

/// A fact for the event log, which the front has none of; as true as the front is honest.
package enum FrontNote: Hashable, Sendable {
    case connected(role: [UInt8], peer: SocketName)
    /// The connection ended before a login; the text says what was wrong, if anything was.
    case ended(peer: SocketName, trouble: [UInt8])
    case problem([UInt8])
}

/// What the session process says about one authentication.
package enum AuthenticationReply: Hashable, Sendable {
    case challenge([UInt8])
    /// The front now hands the connection over. The bytes are the mechanism's last data.
    case success([UInt8])
    /// Why not, in the program's own codes, and what the mechanism still says.
    case failure(code: UInt8, [UInt8])
}

enum SessionMessage: Hashable, Sendable {
    case reply(FrontID, AuthenticationReply)
    /// Accept nobody any more.
    case drain
}

// MARK: encoding

struct FrameWriter {
    private(set) var bytes: [UInt8] = []

    mutating func putByte(_ byte: UInt8) { bytes.append(byte) }
    mutating func put(_ number: UInt64) { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
    mutating func put(_ number: UInt16) { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
    mutating func put(_ field: [UInt8]) {
        let length = UInt32(clamping: field.count)
        withUnsafeBytes(of: length.bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: field)
    }
    mutating func put(_ name: SocketName) {
        put(name.address)
        put(name.port)
    }
}

struct FrameReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }
    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) -> Number? {
        let size = MemoryLayout<Number>.size
        guard rest.count >= size else { return nil }
        let value = rest.prefix(size).reduce(Number(0)) { ($0 << 8) | Number(truncatingIfNeeded: $1) }
        rest = rest.dropFirst(size)
        return value
    }

    mutating func field() -> [UInt8]? {
        guard let length = number(UInt32.self), let count = Int(exactly: length), count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func socketName() -> SocketName? {
        guard let address = field(), address.count <= 128, let port = number(UInt16.self) else { return nil }
        return SocketName(address: address, port: port)
    }

    mutating func flag() -> Bool? {
        switch byte() {
        case 0: false
        case 1: true
        case .some, nil: nil
        }
    }
}

extension TLSFacts.Version {
    fileprivate var code: UInt8 {
        switch self {
        case .older: 1
        case .tls12: 2
        case .tls13: 3
        }
    }

    fileprivate init?(code: UInt8) {
        guard let version = [TLSFacts.Version.older, .tls12, .tls13].first(where: { $0.code == code }) else { return nil }
        self = version
    }
}

extension FrontRequest {
    var encoded: [UInt8] {
        var out = FrameWriter()
        switch self {
        case .start(let id, let start):
            out.putByte(1)
            out.put(id)
            out.put(start)
        case .response(let id, let bytes):
            out.putByte(2)
            out.put(id)
            out.put(bytes)
        case .abandon(let id):
            out.putByte(3)
            out.put(id)
        case .handOver(let id, let bytes):
            out.putByte(4)
            out.put(id)
            out.put(bytes)
        case .note(let note): out.put(note)
        }
        return out.bytes
    }

    /// nil for anything that `encoded` cannot give.
    init?(decoding bytes: ArraySlice<UInt8>) {
        var reader = FrameReader(bytes)
        guard let kind = reader.byte() else { return nil }
        if kind >= 5 {
            guard let note = reader.note(kind), reader.isAtEnd else { return nil }
            self = .note(note)
            return
        }
        guard let id = reader.number(UInt64.self) else { return nil }
        switch kind {
        case 1:
            guard let start = reader.start() else { return nil }
            self = .start(id, start)
        case 2:
            guard let bytes = reader.field() else { return nil }
            self = .response(id, bytes)
        case 3: self = .abandon(id)
        case 4:
            guard let bytes = reader.field() else { return nil }
            self = .handOver(id, bytes)
        default: return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}

extension FrameWriter {
    fileprivate mutating func put(_ start: AuthenticationStart) {
        put(start.arrival.role.name)
        putByte(start.arrival.role.isImplicitTLS ? 1 : 0)
        put(start.arrival.peer)
        put(start.arrival.local)
        put(start.tls)
        put(start.mechanism)
        putByte(start.initialResponse == nil ? 0 : 1)
        if let response = start.initialResponse { put(response) }
    }
}

extension FrameWriter {
    fileprivate mutating func put(_ tls: TLSFacts?) {
        putByte(tls?.version.code ?? 0)
        guard let tls else { return }
        put(tls.cipher)
        put(tls.endPoint)
    }
}

extension FrameReader {
    /// nil for what is none; `.some(nil)` in clear.
    fileprivate mutating func tls() -> TLSFacts?? {
        guard let code = byte() else { return nil }
        if code == 0 { return .some(nil) }
        guard let version = TLSFacts.Version(code: code), let cipher = field(), cipher.count <= 64, let endPoint = field(), endPoint.count <= 64
        else { return nil }
        return TLSFacts(version: version, isVerified: false, cipher: cipher, endPoint: endPoint)
    }
}

extension FrameWriter {
    fileprivate mutating func put(_ note: FrontNote) {
        switch note {
        case .connected(let role, let peer):
            putByte(5)
            put(role)
            put(peer)
        case .ended(let peer, let trouble):
            putByte(6)
            put(peer)
            put(trouble)
        case .problem(let reason):
            putByte(7)
            put(reason)
        }
    }
}

extension FrameReader {
    fileprivate mutating func note(_ kind: UInt8) -> FrontNote? {
        switch kind {
        case 5:
            if let role = field(), role.count <= 64, let peer = socketName() { .connected(role: role, peer: peer) } else { nil }
        case 6:
            if let peer = socketName(), let trouble = field(), trouble.count <= 512 { .ended(peer: peer, trouble: trouble) } else { nil }
        case 7:
            if let reason = field(), reason.count <= 512 { .problem(reason) } else { nil }
        default: nil
        }
    }
}

extension FrameReader {
    fileprivate mutating func start() -> AuthenticationStart? {
        guard let name = field(), name.count <= 64, let isImplicit = flag(), let peer = socketName(), let local = socketName(),
            let tls = tls(), let mechanism = field(), mechanism.count <= 64, let hasResponse = flag()
        else { return nil }
        var response: [UInt8]?
        if hasResponse {
            guard let bytes = field() else { return nil }
            response = bytes
        }
        let arrival = Arrival(role: ListenerRole(name, isImplicitTLS: isImplicit), peer: peer, local: local)
        return AuthenticationStart(arrival: arrival, tls: tls, mechanism: mechanism, initialResponse: response)
    }
}

extension SessionMessage {
    var encoded: [UInt8] {
        var out = FrameWriter()
        switch self {
        case .reply(let id, .challenge(let bytes)):
            out.putByte(1)
            out.put(id)
            out.put(bytes)
        case .reply(let id, .success(let bytes)):
            out.putByte(2)
            out.put(id)
            out.put(bytes)
        case .reply(let id, .failure(let code, let bytes)):
            out.putByte(3)
            out.put(id)
            out.putByte(code)
            out.put(bytes)
        case .drain: out.putByte(4)
        }
        return out.bytes
    }

    init?(decoding bytes: ArraySlice<UInt8>) {
        var reader = FrameReader(bytes)
        guard let kind = reader.byte() else { return nil }
        if kind == 4 {
            self = .drain
        } else {
            guard let id = reader.number(UInt64.self), let reply = reader.reply(kind) else { return nil }
            self = .reply(id, reply)
        }
        guard reader.isAtEnd else { return nil }
    }
}

extension FrameReader {
    fileprivate mutating func reply(_ kind: UInt8) -> AuthenticationReply? {
        switch kind {
        case 1: field().map { .challenge($0) }
        case 2: field().map { .success($0) }
        case 3:
            if let code = byte(), let bytes = field() { .failure(code: code, bytes) } else { nil }
        default: nil
        }
    }
}
