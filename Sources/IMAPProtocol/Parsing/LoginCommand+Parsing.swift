// The commands before login, by their verb.

internal import MailModel

extension LoginCommand {
    package static func parse(_ text: [UInt8]) -> ParsedCommand<LoginCommand> {
        ParsedCommand(text) { verb, cursor throws(CommandFailure) in try LoginCommand(verb: verb, parsing: &cursor) }
    }

    private init(verb: [UInt8], parsing cursor: inout CommandCursor) throws(CommandFailure) {
        switch verb {
        case Array("CAPABILITY".utf8): self = .capability
        case Array("NOOP".utf8): self = .noop
        case Array("LOGOUT".utf8): self = .logout
        case Array("STARTTLS".utf8): self = .startTLS
        case Array("ID".utf8):
            try cursor.space()
            try ClientIdentification.skip(&cursor)
            self = .id
        case Array("LOGIN".utf8):
            try cursor.space()
            let user = try cursor.astring()
            try cursor.space()
            self = .login(user: user, password: try cursor.astring())
        case Array("AUTHENTICATE".utf8):
            try cursor.space()
            let mechanism = try cursor.atom().map { $0.isASCIILetter ? $0 & 0xDF : $0 }
            var initial: [UInt8]?
            if cursor.take(" ") {
                initial = Array(cursor.run(while: { $0 > 0x20 && $0 < 0x7F }))
                guard initial?.isEmpty == false else { throw .syntax(.argument) }
            }
            self = .authenticate(mechanism: mechanism, initial: initial)
        default: throw .unknownCommand
        }
    }
}
