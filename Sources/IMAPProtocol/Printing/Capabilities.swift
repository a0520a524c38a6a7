// What we announce, and only what works: the list before login and the one after it.

/// Capability lines (RFC 3501 §7.2.1).
enum Capabilities {
    private static let always: [StaticString] = ["IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE"]
    private static let authenticated: [StaticString] = [
        "IDLE", "NAMESPACE", "CHILDREN", "UNSELECT", "UIDPLUS", "MOVE", "SPECIAL-USE",
    ]

    static let afterLogin = list(always + authenticated)

    static func beforeLogin(offersTLS: Bool, isLoginDisabled: Bool, mechanisms: [[UInt8]]) -> [UInt8] {
        var names = always
        if offersTLS { names.append("STARTTLS") }
        if isLoginDisabled { names.append("LOGINDISABLED") }
        return list(names) + (isLoginDisabled ? [] : mechanisms.flatMap { Array(" AUTH=".utf8) + $0 })
    }

    private static func list(_ names: [StaticString]) -> [UInt8] {
        var printer = ResponsePrinter()
        printer.raw("CAPABILITY")
        for name in names {
            printer.raw(" ")
            printer.raw(name)
        }
        return printer.bytes
    }
}
