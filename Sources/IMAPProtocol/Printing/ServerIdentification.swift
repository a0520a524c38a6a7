// What we say of ourselves to ID (RFC 2971 §3.2): a name, no version that would help an attacker choose.

enum ServerIdentification {
    static let response: StaticString = "* ID (\"name\" \"Martlet\")\r\n"
}
