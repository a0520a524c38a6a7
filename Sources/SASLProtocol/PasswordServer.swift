// PLAIN and LOGIN: the client says name and password, somebody else judges them.

/// PLAIN, one message `[authzid] NUL authcid NUL passwd` (RFC 4616 §2).
struct PlainServer: Sendable {
    private var hasAsked = false

    mutating func response(_ message: [UInt8]) -> ServerExchange.Result {
        let parts = message.split(separator: 0, omittingEmptySubsequences: false)
        guard !hasAsked, parts.count == 3, isCredentialText(parts[1]), isCredentialText(parts[2]) else {
            return .failure(.malformed)
        }
        hasAsked = true
        return ask(authorization: Array(parts[0]), authentication: Array(parts[1]), password: Array(parts[2]))
    }
}

/// LOGIN, never standardised: the server prompts for name and password in turn. Outlook needs it.
struct LoginServer: Sendable {
    private enum Expecting: Sendable { case name, password, nothing }
    private var expecting = Expecting.name
    private var name: [UInt8] = []

    func prompt() -> ServerExchange.Result { .challenge(Array("Username:".utf8)) }

    mutating func response(_ message: [UInt8]) -> ServerExchange.Result {
        guard isCredentialText(message) else { return .failure(.malformed) }
        switch expecting {
        case .name:
            name = message
            expecting = .password
            return .challenge(Array("Password:".utf8))
        case .password:
            expecting = .nothing
            return ask(authorization: [], authentication: name, password: message)
        case .nothing:
            return .failure(.malformed)
        }
    }
}

/// Nobody acts for somebody else here: the authorization identity is empty or the authentication identity.
private func ask(authorization: [UInt8], authentication: [UInt8], password: [UInt8]) -> ServerExchange.Result {
    guard authorization.isEmpty || authorization == authentication else { return .failure(.rejected) }
    return .ask(.password(authorization: authorization, authentication: authentication, password: password))
}
