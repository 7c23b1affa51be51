/** What a peer could put into a name, to take over whatever shows it. */
export const hostile = [
  `</title></svg></pre><script>alert(1)</script><img src=x onerror=alert(2)>`,
  `" onload="alert(3)" x='`,
  `]]><!-- & &amp; <![CDATA[`,
  `\u0000\u0001\u0008\u001b[31m\u007f\u009b\ufffe\uffff\ud800`,
  `\u202egnp.exe \u2066 \u200b`,
  `\n::error::injected\r\n::set-output name=x::y %0A`,
  `| a | b | **bold** [link](https://evil.example) ![pixel](https://evil.example/p) @everyone`,
].join(' ');
