// Every reply that our server gives of itself, in one table. None repeats what the client sent (ALPACA).

private import MailModel

extension Reply {
    static let goodbye = Reply(221, .success(0, 0), "Bye")
    static let ok = Reply(250, .success(0, 0), "OK")
    static let senderOK = Reply(250, .success(1, 0), "Sender OK")
    static let recipientOK = Reply(250, .success(1, 5), "Recipient OK")
    static let cannotVerify = Reply(252, .success(1, 5), "Cannot verify, but will try to deliver")
    static let help = Reply(214, .success(0, 0), "HELO EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP STARTTLS AUTH")
    static let startTLS = Reply(220, .success(0, 0), "Ready to start TLS")
    static let authenticated = Reply(235, .success(7, 0), "Authentication successful")
    static let chunkOK = Reply(250, .success(0, 0), "Chunk OK")
    static let startContent = Reply(354, nil, "End data with <CRLF>.<CRLF>")

    static let unrecognised = Reply(500, .permanent(5, 2), "Command not recognised")
    static let lineTooLong = Reply(500, .permanent(5, 2), "Line too long")
    static let bareLFInCommand = Reply(500, .permanent(5, 2), "Bare LF in command: lines must end with CRLF")
    static let bareCRInCommand = Reply(500, .permanent(5, 2), "Bare CR in command: lines must end with CRLF")
    static let notImplemented = Reply(502, .permanent(5, 1), "Command not implemented")
    static let notMail = Reply(554, .permanent(5, 1), "This is a mail server; closing")

    static let badArguments = Reply(501, .permanent(5, 4), "Syntax error in parameters")
    static let noArguments = Reply(501, .permanent(5, 4), "This command takes no parameters")
    static let badChunk = Reply(501, .permanent(5, 4), "BDAT needs a number of octets; closing")
    static let badSender = Reply(501, .permanent(1, 7), "Bad sender address syntax")
    static let badRecipient = Reply(501, .permanent(1, 3), "Bad recipient address syntax")
    static let needsUTF8 = Reply(553, .permanent(6, 7), "Non-ASCII addresses are not supported here")
    static let senderNotUTF8 = Reply(553, .permanent(6, 7), "Say SMTPUTF8 at MAIL for non-ASCII addresses")
    static let unknownParameter = Reply(555, .permanent(5, 4), "Parameter not recognised or not implemented")

    static let helloFirst = Reply(503, .permanent(5, 1), "Say EHLO first")
    static let mailFirst = Reply(503, .permanent(5, 1), "Say MAIL first")
    static let recipientFirst = Reply(503, .permanent(5, 1), "Say RCPT first")
    static let nestedMail = Reply(503, .permanent(5, 1), "Sender already given")
    static let chunksFirst = Reply(503, .permanent(5, 1), "Content comes by BDAT or by DATA, not by both")
    static let chunkRefusedBefore = Reply(503, .permanent(5, 1), "A chunk of this message was refused; say RSET")
    static let recipientTooLate = Reply(503, .permanent(5, 1), "Content has begun")
    static let binaryNeedsChunks = Reply(503, .permanent(5, 1), "Binary content needs BDAT")
    static let noValidRecipients = Reply(554, .permanent(5, 1), "No valid recipients")

    static let tooBig = Reply(552, .permanent(3, 4), "Message exceeds the size limit")
    static let tooManyRecipients = Reply(452, .temporary(5, 3), "Too many recipients")
    static let tooManyDomains = Reply(452, .temporary(5, 3), "Too many recipient domains in this session")
    static let tooManyTransactions = Reply(421, .temporary(5, 3), "Too many transactions in this session, closing")
    static let holdTooLong = Reply(501, .permanent(5, 4), "Cannot hold a message for so long")
    static let deliverByTooSoon = Reply(555, .permanent(5, 4), "Cannot promise delivery within so short a time")
    static let loop = Reply(554, .permanent(4, 6), "Too many hops: this message is in a loop")
    static let bareCRInContent = Reply(554, .permanent(6, 0), "Bare CR in message content: lines must end with CRLF")
    static let bareLFInContent = Reply(554, .permanent(6, 0), "Bare LF in message content: lines must end with CRLF")

    static let relayDenied = Reply(550, .permanent(7, 1), "Relaying denied")
    static let unknownUser = Reply(550, .permanent(1, 1), "No such user here")
    static let lookupFailed = Reply(451, .temporary(3, 0), "Address lookup failed, try again later")

    static let authenticationRequired = Reply(530, .permanent(7, 0), "Authentication required")
    static let startTLSFirst = Reply(530, .permanent(7, 0), "Must issue a STARTTLS command first")
    static let encryptionRequired = Reply(538, .permanent(7, 11), "Encryption required for authentication")
    static let authenticationUnoffered = Reply(503, .permanent(5, 1), "Authentication is not offered")
    static let alreadyAuthenticated = Reply(503, .permanent(5, 1), "Already authenticated")
    static let authenticationMidMail = Reply(503, .permanent(5, 1), "Not within a mail transaction")
    static let unknownMechanism = Reply(504, .permanent(5, 4), "Mechanism not offered")
    static let badBase64 = Reply(501, .permanent(5, 2), "Not Base64")
    static let authenticationCancelled = Reply(501, .permanent(7, 0), "Authentication cancelled")
    static let authenticationFailed = Reply(535, .permanent(7, 8), "Authentication failed")
    static let authenticationUnavailable = Reply(454, .temporary(7, 0), "Temporary authentication failure")

    static let priorityLowered = Reply(250, .success(3, 6), "0 is the priority of this message")

    static let tlsUnavailable = Reply(502, .permanent(5, 1), "TLS is not offered")
    static let tlsActive = Reply(503, .permanent(5, 1), "TLS is already active")

    static let timeout = Reply(421, .temporary(4, 2), "Timeout, closing")
    static let tooManyErrors = Reply(421, .temporary(7, 0), "Too many errors, closing")
    static let tooManyCommands = Reply(421, .temporary(7, 0), "Too many commands without mail, closing")
    static let shuttingDown = Reply(421, .temporary(3, 2), "Service is stopping, try again later")
    static let internalError = Reply(421, .temporary(3, 0), "Internal error, closing")
}
