// What each program can read and write once it is confined: the rows of docs/security.md, tried file by file.

import CLinux
import Testing

private let isPossible: Bool = {
    if Matrix.probe == nil { print("skipped: sandbox-probe is not beside the test program") }
    if martlet_landlock_abi() < 6 { print("skipped: Landlock ABI \(martlet_landlock_abi())") }
    return Matrix.probe != nil && martlet_landlock_abi() >= 6
}()

@Suite(.enabled(if: isPossible)) struct PrivilegesTests {
    /// `r`: may be read; `w`: read, written, and made beside it; `-`: neither.
    static let matrix = """
                                     smtpd submission queued locald remoted pop3d imapd front
        spool/smtpd/mail/big           w       -        r      r      r       -     -     -
        spool/smtpd/events             w       -        -      -      -       -     -     -
        spool/submission/mail/big      -       w        r      r      r       -     -     -
        spool/submission/events        -       w        -      -      -       -     -     -
        spool/queued/mail/big          -       -        w      r      r       -     -     -
        spool/queued/events            -       -        w      r      r       -     -     -
        spool/queued/released          r       r        w      -      -       -     -     -
        spool/drop                     -       -        w      -      -       -     -     -
        spool/locald/events            -       -        r      w      -       -     -     -
        spool/remoted/events           -       -        r      -      w       -     -     -
        spool/pop3d/events             -       -        -      -      -       w     -     -
        spool/imapd/events             -       -        -      -      -       -     w     -
        spool/mailctl/events           -       -        r      -      -       -     -     -
        spool/supervisor/events        -       -        -      -      -       -     -     -
        spool/directory                -       -        -      -      -       -     -     -
        spool/directory/addresses      r       r        r      -      -       -     -     -
        spool/directory/credentials    -       r        -      -      -       r     r     -
        spool/mail/a.example/u/new     -       -        -      w      -       w     w     -
        spool/mail/.stage              -       -        -      w      -       w     w     -
        etc                            -       -        -      -      -       -     -     -
        etc/tls                        r       r        -      -      -       -     -     r
        cache                          -       -        -      -      -       -     -     -
        """

    @Test func eachProgramReachesItsOwnFilesAndNoOther() throws {
        let matrix = try Matrix(PrivilegesTests.matrix)
        for (column, program) in matrix.programs.enumerated() {
            let found = try matrix.rights(of: program)
            for (row, expected) in zip(matrix.rows, matrix.rows.indices.map { matrix.cells[$0][column] }) {
                #expect(found[row] == expected, "\(program) in \(row)")
            }
        }
    }

    /// A snapshot is replaced by another file: what was allowed is the folder, so the new one can be read.
    @Test func aSnapshotThatWasReplacedCanBeRead() throws {
        let matrix = try Matrix(PrivilegesTests.matrix)
        try matrix.replaceFile(in: "spool/directory/addresses")
        try matrix.replaceFile(in: "spool/directory/credentials")
        #expect(try matrix.rights(of: "smtpd")["spool/directory/addresses"] == "r")
        #expect(try matrix.rights(of: "submission")["spool/directory/credentials"] == "r")
    }
}
