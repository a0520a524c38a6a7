// The passwords by which other hosts take mail from us: a file of one line each, which mailctl writes and remoted reads.

/// A user name and password for a host that a route or the smarthost names.
///
/// `relay.example.net:587 from=example.org user secret words`: host, perhaps a port, perhaps the domain of the senders that it is for, perhaps
/// `unproved`, the user, and the password as the rest of the line.
package struct RelayPassword: Hashable, Sendable {
    package let host: Domain
    /// Nil for every port.
    package let port: UInt16?
    /// Of the senders whose mail it is for; nil for all.
    package let sender: Domain?
    /// Whether the host must prove its name by a certificate before it sees the password.
    package let needsProof: Bool
    package let user: [UInt8]
    package let password: [UInt8]

    /// Nil for a user or a password that a line cannot hold, and for a user that would be read as a word before it.
    package init?(host: Domain, port: UInt16?, sender: Domain?, needsProof: Bool, user: [UInt8], password: [UInt8]) {
        guard !user.isEmpty, !password.isEmpty, user.count <= 255, password.count <= 1024, isUTF8(user), isUTF8(password),
            user.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), password.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        let isOtherWord = needsProof && (user == RelayPassword.unproved || sender == nil && user.starts(with: RelayPassword.from))
        guard !isOtherWord else { return nil }
        self.host = host
        self.port = port
        self.sender = sender
        self.needsProof = needsProof
        self.user = user
        self.password = password
    }

    private static let from = Array("from=".utf8)
    private static let unproved = Array("unproved".utf8)

    /// A line of the file; nil if it is none.
    init?(line: ArraySlice<UInt8>) {
        var rest = line
        func word() -> ArraySlice<UInt8> {
            let word = rest.prefix { $0 != 0x20 }
            rest = rest[word.endIndex...].dropFirst()
            return word
        }
        let name = word()
        guard case .server(let host, let port, .smtp)? = NextHop(parsing: name) else { return nil }
        // What is shorter than host and port said no port.
        let isAnyPort = name.count <= host.bytes.count
        var next = word()
        var sender: Domain?
        if next.starts(with: RelayPassword.from) {
            guard let domain = Domain(parsing: next.dropFirst(RelayPassword.from.count)) else { return nil }
            sender = domain
            next = word()
        }
        let isUnproved = next.elementsEqual(RelayPassword.unproved)
        if isUnproved { next = word() }
        self.init(host: host, port: isAnyPort ? nil : port, sender: sender, needsProof: !isUnproved, user: Array(next), password: Array(rest))
    }

    package var line: [UInt8] {
        var words = [host.bytes + (port.map { Array(":\($0)".utf8) } ?? [])]
        if let sender { words.append(RelayPassword.from + sender.bytes) }
        if !needsProof { words.append(RelayPassword.unproved) }
        return Array((words + [user, password]).joined(separator: [0x20]))
    }

    /// What may stand in the file only once.
    package var key: [[UInt8]] { [host.bytes, port.map { Array("\($0)".utf8) } ?? [], sender?.bytes ?? []] }

    /// Whether it is for this host and sender, and how closely; nil if not.
    private func closeness(to host: Domain, _ port: UInt16, _ sender: Domain?) -> Int? {
        guard self.host == host, self.port ?? port == port, self.sender == nil || self.sender == sender else { return nil }
        return (self.sender == nil ? 0 : 2) + (self.port == nil ? 0 : 1)
    }

    /// The one for mail from `sender` by way of a host: that of the sender's domain before that of all, that of the port before that of any.
    package static func best(of all: [RelayPassword], for host: Domain, port: UInt16, sender: Domain?) -> RelayPassword? {
        all.compactMap { entry in entry.closeness(to: host, port, sender).map { (entry, $0) } }.max { $0.1 < $1.1 }?.0
    }

    /// The file; nil if a line of it is none of these. Empty lines and those with `#` say nothing.
    package static func parse(_ file: [UInt8]) -> [RelayPassword]? {
        var all: [RelayPassword] = []
        for line in file.split(separator: 0x0A) where line.first != UInt8(ascii: "#") {
            guard let entry = RelayPassword(line: line) else { return nil }
            all.append(entry)
        }
        return all
    }

    package static func file(_ all: [RelayPassword]) -> [UInt8] {
        Array("# Written by mailctl relay-password; read by remoted alone.\n".utf8) + all.flatMap { $0.line + [0x0A] }
    }

    /// Octets of the file, at most.
    package static let longestFile = 1 << 20
}
