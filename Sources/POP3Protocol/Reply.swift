// Replies. Invariant: their text is ours alone; nothing that a client sent is ever echoed (ALPACA, V15).

/// A one-line reply (RFC 1939 §3), with a response code where one is defined.
enum Reply {
    /// RFC 2449 §8 and RFC 3206 §4.
    enum Code: String {
        case none = ""
        case inUse = "[IN-USE] "
        case authentication = "[AUTH] "
        case systemTemporary = "[SYS/TEMP] "
    }

    static func ok(_ text: String) -> [UInt8] { Array("+OK \(text)\r\n".utf8) }

    static func error(_ text: String, _ code: Code = .none) -> [UInt8] { Array("-ERR \(code.rawValue)\(text)\r\n".utf8) }

    /// A SASL challenge (RFC 5034 §4); the argument is in Base64 already.
    static func challenge(_ base64: [UInt8]) -> [UInt8] { Array("+ ".utf8) + base64 + [0x0D, 0x0A] }
}
