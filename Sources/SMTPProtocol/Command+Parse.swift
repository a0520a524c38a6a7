// From a line without its CRLF to a command. Verbs are found without case (RFC 5321 §2.4).

private import MailModel

extension Command {
    /// Parses a whole line. Trailing spaces are ignored (RFC 5321 §4.1.1). What is not offered is not known.
    package init(
        parsing line: some Collection<UInt8>, offering offer: ServerExtensions = ServerExtensions()
    ) throws(CommandFault) {
        var text = Array(line)[...]
        while text.last == UInt8(ascii: " ") { text = text.dropLast() }
        guard let first = text.first else { throw .unrecognised }
        // RFC 5321 has no verb that begins otherwise; a TLS or binary greeting does (ALPACA).
        guard first.isASCIILetter else { throw .notMail }
        guard text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw .badArguments }
        let verb = text.prefix { $0 != UInt8(ascii: " ") }
        self = try Command.parse(verb: verb, rest: text[verb.endIndex...].drop { $0 == UInt8(ascii: " ") }, offer)
    }

    private static func parse(
        verb: ArraySlice<UInt8>, rest: ArraySlice<UInt8>, _ offer: ServerExtensions
    ) throws(CommandFault) -> Command {
        guard verb.count <= 8 else { throw verb.last == UInt8(ascii: ":") ? .notMail : .unrecognised }
        switch verb.map({ $0.asciiLowercased }).display {
        case "ehlo": return .ehlo(try clientName(rest))
        case "helo": return .helo(try clientName(rest))
        case "mail": return try mail(rest, offer)
        case "rcpt": return try recipient(rest, offer)
        case "data": return try alone(.data, rest)
        case "bdat" where offer.chunking: return try chunk(rest)
        case "rset": return try alone(.rset, rest)
        case "quit": return try alone(.quit, rest)
        case "starttls": return try alone(.startTLS, rest)
        case "noop": return .noop
        case "help": return .help
        case "vrfy": return try verification(rest)
        case "auth": return try authentication(rest)
        case "xclient" where offer.xclient:
            guard let said = XClient(parsing: rest) else { throw .badArguments }
            return .xclient(said)
        case "expn", "bdat", "turn", "etrn", "atrn", "burl", "send", "soml", "saml", "lhlo", "xclient", "xforward":
            throw .notImplemented
        case "get", "post", "put", "head", "connect", "options", "delete", "patch", "trace": throw .notMail
        default: throw verb.last == UInt8(ascii: ":") ? .notMail : .unrecognised
        }
    }

    private static func alone(_ command: Command, _ rest: ArraySlice<UInt8>) throws(CommandFault) -> Command {
        guard rest.isEmpty else { throw .takesNoArguments }
        return command
    }

    private static func verification(_ rest: ArraySlice<UInt8>) throws(CommandFault) -> Command {
        guard !rest.isEmpty else { throw .badArguments }
        return .vrfy
    }

    /// RFC 5321 §4.1.4: a name that is not true, or no domain at all, must not cost the client its mail.
    private static func clientName(_ rest: ArraySlice<UInt8>) throws(CommandFault) -> [UInt8] {
        guard (1...255).contains(rest.count), rest.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .badArguments }
        return Array(rest)
    }

    /// A UTF-8 sender needs SMTPUTF8 in the same command (RFC 6531 §3.4).
    private static func mail(_ rest: ArraySlice<UInt8>, _ offer: ServerExtensions) throws(CommandFault) -> Command {
        let (path, text) = try pathAndRest(rest, after: "FROM:", .badSender)
        guard let sender = PathParser.reversePath(path) else { throw .badSender }
        let isASCII = sender.address?.isASCII ?? true
        guard isASCII || offer.smtpUTF8 else { throw .needsUTF8 }
        let parameters: MailParameters
        do {
            parameters = try MailParameters(parsing: text, offering: offer)
        } catch {
            throw error == .unknown ? .unknownParameter : .badArguments
        }
        guard isASCII || parameters.options.isUTF8 else { throw .needsUTF8 }
        return .mail(sender, parameters)
    }

    /// Whether a UTF-8 recipient goes with the transaction's MAIL, the session knows.
    private static func recipient(_ rest: ArraySlice<UInt8>, _ offer: ServerExtensions) throws(CommandFault) -> Command {
        let (path, parameters) = try pathAndRest(rest, after: "TO:", .badRecipient)
        guard let recipient = PathParser.forwardPath(path) else { throw .badRecipient }
        if case .mailbox(let address) = recipient, !address.isASCII, !offer.smtpUTF8 { throw .needsUTF8 }
        guard parameters.isEmpty || parameters.first == UInt8(ascii: " ") else { throw .badRecipient }
        do {
            return .rcpt(recipient, try RecipientOptions(parsing: parameters, offering: offer))
        } catch {
            throw error == .unknown ? .unknownParameter : .badArguments
        }
    }

    /// `BDAT 1000 LAST` (RFC 3030 §2).
    private static func chunk(_ rest: ArraySlice<UInt8>) throws(CommandFault) -> Command {
        let words = rest.split(separator: UInt8(ascii: " "))
        guard (1...2).contains(words.count), let octets = words[0].decimalValue,
            words.count == 1 || words[1].equalsIgnoringASCIICase("LAST")
        else { throw .badChunk }
        return .bdat(octets: octets, isLast: words.count == 2)
    }

    /// RFC 5321 §4.1.1.2 deviation: spaces after the colon are forgiven, as every large server does.
    private static func pathAndRest(
        _ rest: ArraySlice<UInt8>, after word: StaticString, _ fault: CommandFault
    ) throws(CommandFault) -> (ArraySlice<UInt8>, ArraySlice<UInt8>) {
        let length = word.utf8CodeUnitCount
        guard rest.prefix(length).equalsIgnoringASCIICase(word) else { throw .badArguments }
        guard let parts = PathParser.split(rest.dropFirst(length).drop { $0 == UInt8(ascii: " ") }) else { throw fault }
        return parts
    }

    private static func authentication(_ rest: ArraySlice<UInt8>) throws(CommandFault) -> Command {
        let words = rest.split(separator: UInt8(ascii: " "))
        guard let mechanism = words.first, (1...20).contains(mechanism.count), words.count <= 2 else {
            throw .badArguments
        }
        return .auth(mechanism: Array(mechanism), initial: words.count == 2 ? Array(words[1]) : nil)
    }
}
